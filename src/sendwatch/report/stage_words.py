"""The words of a stage report, in both languages.

Belongs here: every label and sentence. Not here: what rules are called (they say it themselves), layout.
"""

from __future__ import annotations

from typing import Final

from sendwatch.verdict import Words

WORDS: Final = {
    "title": Words("SMS compliance report", "短信合规阶段报告"),
    "for_all": Words("Internal edition", "内部版"),
    "for_owner": Words("Edition for the content owner", "内容所有者版"),
    "for_regulator": Words("Edition for the regulator", "报送监管部门版"),
    "period": Words("Period", "统计时段"),
    "owner_only": Words("Only sends of", "仅含以下主体的短信"),
    "made_at": Words("Made", "生成时间"),
    "source_archive": Words("from the archive", "数据来源：归档"),
    "source_topics": Words("from the topics", "数据来源：消息主题"),
    "utc8": Words("all times UTC+8", "时间均为北京时间"),
    "range": Words("Free range", "自选时段"),
    "this": Words("This period", "本期"),
    "stage": Words("Last stage", "上一阶段"),
    "campaign": Words("Last campaign", "上一次大促"),
    "before": Words("Period before", "上一时段"),
    "nothing_before": Words(
        "Nothing is kept of the {name}, {since} to {until}: there is nothing to compare with.",
        "{name}（{since} 至 {until}）没有留存数据，无法比较。",
    ),
    # -- measures
    "sends": Words("Sends judged", "已判定短信"),
    "violations": Words("Violations", "违规"),
    "sends_flagged": Words("Sends in violation", "违规短信"),
    "grave": Words("of them high or critical", "其中高危与严重"),
    "dismissed": Words("of them dismissed by people", "其中经人工排除"),
    "rate": Words("Violations per 10,000 sends", "每万条违规数"),
    "coverage": Words("Fully decided", "完全判定率"),
    "undecided": Words("Sends not fully decided", "未完全判定短信"),
    "complaints": Words("Complaints", "投诉"),
    "about_codes": Words("of them about codes", "其中针对验证码"),
    "per_million": Words("Complaints per million", "每百万条投诉数"),
    "refusals": Words("Refusals by reply", "回复退订"),
    "heeded": Words("Refusals heeded", "退订生效率"),
    "unheeded": Words("Refusals after which more came", "退订后仍收到短信"),
    "after_opt_out": Words("Commercial sends after a refusal (C5)", "拒绝后仍发送（C5）"),
    "past_48_hours": Words("of them 48 h or more after it", "其中超过 48 小时"),
    "ignored": Words("48 h or more after a refusal by reply (C9)", "回复退订 48 小时后仍发送（C9）"),
    "corrected": Words("Corrections", "更正"),
    "raised_late": Words("Raised by later facts", "因迟到事实新增"),
    "cleared": Words("Cleared by later facts", "因迟到事实撤销"),
    "per_10000": Words("per 10,000", "每万条"),
    "share": Words("Share", "占比"),
    "limit": Words("limit", "限值"),
    # -- columns
    "rule": Words("Rule", "规则"),
    "what": Words("Violation", "违规情形"),
    "clause": Words("Clause", "依据条款"),
    "severity": Words("Severity", "级别"),
    "owners": Words("Owners", "涉及主体"),
    "change": Words("Change", "变化"),
    "worst": Words("Most broken rule", "最多违规情形"),
    "name": Words("Name", "名称"),
    "day": Words("Day", "日期"),
    "channel": Words("Channel", "投诉渠道"),
    "measure": Words("Measure", "指标"),
    "reason": Words("Reason", "原因"),
    "topic": Words("Topic", "主题"),
    "opened": Words("Opened", "开始"),
    "closed": Words("Closed", "结束"),
    "still_open": Words("still open", "仍越限"),
    "subject": Words("Subject", "对象"),
    "measured": Words("Measured", "实测值"),
    "confirmed": Words("Confirmed", "确认"),
    "dismissed_short": Words("Dismissed", "排除"),
    "precision": Words("Precision", "准确率"),
    "action": Words("Decision", "处置"),
    "count": Words("Count", "数量"),
    "by": Words("By", "处置人"),
    "about": Words("Flag or breach", "标记或越限编号"),
    "until": Words("until {day}", "至 {day}"),
    "deeds": Words("Each decision", "处置明细"),
    "time": Words("Time", "时间"),
    "send": Words("Send", "短信编号"),
    "why": Words("Why", "违规事实"),
    "unknown_key": Words("not known", "未知"),
    # -- families
    "owner": Words("Content owner", "内容所有者"),
    "signature": Words("Signature", "签名"),
    "port": Words("Port", "端口"),
    "province": Words("Province", "省份"),
    "sp": Words("SP account", "SP 账号"),
    "type": Words("Type", "短信类型"),
    # -- sections
    "s_summary": Words("In short", "概要"),
    "s_trend": Words("Against earlier periods", "环比"),
    "s_days": Words("Day by day", "逐日情况"),
    "s_rules": Words("Violations by rule", "按规则统计"),
    "s_who": Words("Who", "违规主体"),
    "s_where": Words("Where and what", "地域与类型"),
    "s_complaints": Words("Complaints", "投诉情况"),
    "s_optout": Words("Opt-out service level", "退订服务水平"),
    "s_coverage": Words("Coverage, and what could not be judged", "覆盖率与未能判定的部分"),
    "s_corrections": Words("Corrections", "更正情况"),
    "s_breaches": Words("Limits that were broken", "越限情况"),
    "s_decisions": Words("Decisions by people", "人工处置"),
    "s_shadow": Words("Rules on trial", "试运行规则"),
    "s_flags": Words("Each violation", "违规明细"),
    "s_method": Words("Method and versions", "方法与版本"),
    # -- sentences
    "abstract": Words(
        "{sends} sends were judged; {flagged} of them broke a rule, with {violations} violations in all"
        " ({rate} per 10,000 sends). Every rule could be decided for {coverage} of the sends.",
        "共判定短信 {sends} 条，其中 {flagged} 条违规，违规 {violations} 项（每万条 {rate} 项）；"
        "{coverage} 的短信所有规则均可判定。",
    ),
    "abstract_none": Words("No sends of this period were judged.", "本时段没有已判定的短信。"),
    "abstract_most": Words(
        "The most frequent violation: {title} ({count}).", "最多的违规情形为“{title}”（{count} 项）。"
    ),
    "abstract_trend": Words(
        "Against the {name}, violations per 10,000 sends are {change}.", "与{name}相比，每万条违规数{change}。"
    ),
    "up": Words("up by {percent}", "上升 {percent}"),
    "down": Words("down by {percent}", "下降 {percent}"),
    "same": Words("the same", "持平"),
    "top_note": Words(
        "The {shown} with the most violations, of {all}.", "按违规数列出前 {shown} 个，共 {all} 个。"
    ),
    "mark_note": Words("The mark across a bar is the {name}, for as many sends.", "横条上的竖线为{name}（按同等发送量折算）。"),
    "complaints_note": Words(
        "Complaints are as received, one per message; those about codes are left out of the rate. The carrier's limit is"
        " {limit} per million sends in 30 days.",
        "投诉按每条短信一次计；针对验证码的投诉不计入比率。运营商限值为 30 日内每百万条 {limit} 次。",
    ),
    "optout_note": Words(
        "A refusal is heeded where nothing commercial of that owner came after it (and a minute of grace) in this period.",
        "退订后（含一分钟宽限）本时段内该主体未再发送商业短信的，视为退订生效。",
    ),
    "coverage_note": Words(
        "A rule is undecided where something that it turns on is not known. What is undecided is counted here and never as"
        " compliant.",
        "规则所依据的信息未知时，该规则记为“未决”；未决单独统计，绝不视为合规。",
    ),
    "coverage_span": Words(
        "What was judged of this period begins on {first} and ends on {last}.", "本报告的数据始于 {first}，止于 {last}。"
    ),
    "coverage_part": Words(
        "This is not the whole period: outside of that, nothing is told here.", "数据未覆盖整个时段，其余部分本报告不作结论。"
    ),
    "coverage_none": Words("Nothing is known of this period.", "没有本时段的数据。"),
    "why_type": Words("the type of the send is not known", "短信类型未知"),
    "why_owner": Words("the content owner is not known", "内容所有者未知"),
    "why_other": Words("another fact is not known (text, carrier, province, consent)", "其他信息未知（内容、运营商、省份、同意方式）"),
    "books_note": Words(
        "What became of every record that was read, of all owners and times up to now (a record that cannot be read has no"
        " time): each is exactly one of these. Quarantined records could not be judged; sms.quarantine has their place,"
        " reason and hash.",
        "截至目前已读取的全部记录（不分主体与时段；无法读取的记录没有时间）的去向：每条记录有且只有一种结果。隔离的记录无法判定，其位置、原因与摘要见 sms.quarantine。",
    ),
    "corrections_note": Words(
        "Facts that are recorded up to 72 hours late still count, and answers are corrected by them. The numbers above are"
        " after all corrections.",
        "迟到不超过 72 小时的事实仍然有效，结论据此更正；上文数字均为更正后的结果。",
    ),
    "no_breaches": Words("No limit was broken.", "没有越限。"),
    "no_complaints": Words("There were no complaints.", "没有投诉。"),
    "no_corrections": Words("Nothing had to be corrected.", "没有更正。"),
    "no_decisions": Words("Nobody has decided on any of these violations.", "尚无人工处置。"),
    "no_violations": Words("No violation was found.", "未发现违规。"),
    "all_decided": Words("Every rule was decided for every send.", "所有短信的所有规则均已判定。"),
    "decisions_note": Words(
        "A violation that people dismissed stays in the counts above; it is a false alarm in their eyes.",
        "经人工排除的违规仍计入上文数字；排除表示人工认定为误报。",
    ),
    "deeds_note": Words("The first {shown} of {all}; the rest is in the CSV edition.", "列出前 {shown} 项，共 {all} 项；其余见 CSV 版。"),
    "flags_note": Words("The first {shown} of {all}; the rest is in the CSV edition.", "列出前 {shown} 项，共 {all} 项；其余见 CSV 版。"),
    "m_violation": Words(
        "A violation is a flag that stands: the last record of its id on sms.flags is “raised”. A send that breaks three"
        " clauses is three violations. Each send is judged by the facts as of its own time.",
        "违规指仍然成立的标记（sms.flags 中该编号的最后一条记录为“raised”）。一条短信违反三项规定计为三项违规。每条短信均按其发送当时的事实判定。",
    ),
    "m_watch": Words(
        "sendwatch watches and reports; it blocks nothing. Any of these numbers can be computed again from the topics alone"
        " (sendwatch audit), and any violation be proved with an evidence pack (sendwatch evidence).",
        "sendwatch 只监测、不拦截。上述数字均可仅凭消息主题重新计算（sendwatch audit），任一违规均可出具证据包（sendwatch evidence）。",
    ),
    "m_private": Words(
        "This report holds no phone number, no recipient and no message text.", "本报告不含手机号码、接收方标识或短信正文。"
    ),
    "m_shadow": Words("Rules on trial (shadow) are not counted.", "试运行规则不计入统计。"),
    "law_pack": Words("Law pack", "法规包"),
    "checked": Words("clauses checked by a person", "条款已经人工核对"),
    "unchecked": Words("clauses not yet checked by a person against the official text", "条款尚未经人工与正式文本核对"),
    "version": Words("Version", "版本"),
    "rules_version": Words("Rules", "规则集"),
    "config_version": Words("Configuration", "配置"),
    "judged_from": Words("Judged from", "判定起"),
    "judged_to": Words("to", "止"),
    # -- values
    "low": Words("low", "低"), "medium": Words("medium", "中"), "high": Words("high", "高"),
    "critical": Words("critical", "严重"),
    "confirm": Words("confirmed", "确认"), "dismiss": Words("dismissed as a false alarm", "排除（误报）"),
    "except": Words("excepted for a time", "限期例外"), "suspend": Words("suspension recommended", "建议暂停"),
    "appeal": Words("appealed against", "申诉中"),
    "viewer": Words("viewer", "查看者"), "analyst": Words("analyst", "分析员"), "admin": Words("admin", "管理员"),
    "judged": Words("Judged", "已判定"), "accepted": Words("Accepted", "已接收"),
    "duplicates": Words("Duplicates", "重复"), "parts": Words("Parts", "长短信分段"),
    "quarantined": Words("Quarantined", "隔离"), "absent": Words("Absent", "缺失"),
}  # fmt: skip
