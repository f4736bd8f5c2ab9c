"""Outcomes and reasons in words that people read, in both languages.

Belongs here: what `explain` and reports call an outcome, and what a reason of an undecided answer means. Not here: why
a rule flags; each rule words that itself.
"""

from __future__ import annotations

from sendwatch.verdict import Outcome, Words

OUTCOMES = {
    Outcome.FLAGGED: Words("flagged", "违规"),
    Outcome.CLEAN: Words("clean", "未发现违规"),
    Outcome.UNDECIDED: Words("undecided", "未决"),
    Outcome.NOT_APPLICABLE: Words("not applicable", "不适用"),
    Outcome.NOT_IN_FORCE: Words("not in force", "当时未生效"),
    Outcome.SUPPRESSED: Words("flagged, but the sender is excepted", "违规，但已列入例外"),
    Outcome.OFF: Words("switched off", "已关闭"),
}

REASONS = {
    "not_commercial": Words("the send is not commercial", "非商业性短信"),
    "requested": Words("the recipient had asked for it", "系应接收方请求发送"),
    "type_unknown": Words("the type of the send is not known", "短信类型未知"),
    "text_unknown": Words("the whole text is not at hand", "没有完整的短信内容"),
    "method_unknown": Words("it is not known how consent was given", "同意的取得方式未知"),
    "no_filing": Words("no filing names an owner for this send", "没有报备记录可确定内容所有者"),
    "several_owners": Words("filings name several owners", "报备记录对应多个内容所有者"),
    "carrier_unknown": Words("the carrier is not known", "运营商未知"),
    "province_unknown": Words("the province is not known", "省份未知"),
    "scope_unknown": Words("part of the scope is not known", "使用范围信息不全"),
    "excepted": Words("the carrier spares this sender the rule", "运营商已对该发送方设置例外"),
    "part": Words("it is a part of a long message", "系长短信的一部分"),
    "fault": Words("the rule itself failed; see the log", "规则执行出错，详见日志"),
}


def reason_words(reason: str) -> Words:
    """A reason in words; a table that is not connected is named."""
    table, _, rest = reason.partition("_not_")
    if rest == "connected":
        return Words(f"the table {table} is not connected", f"未接入数据表 {table}")
    return REASONS.get(reason, Words(reason, reason))
