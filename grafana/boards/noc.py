"""The wall of the network operations centre: one screen, no scrolling, a new look every ten seconds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from boards.frame import frame
from boards.panels import AMBER, BLUE, GREEN, RED, About, Ask, bars, lines, link, number, rows, states

if TYPE_CHECKING:
    from grafana_foundation_sdk.builders.dashboard import Dashboard

    from boards.frame import Panels

UID: Final = "sendwatch-noc"
TOP_SIGNATURES: Final = "topk(10, 86400 * max by (signature_id, port_id) (sendwatch_top_signature_flag_rate))"
DELAY: Final = "sum by (le) (rate(sendwatch_decision_delay_seconds_bucket[$__rate_interval]))"


def board() -> Dashboard:
    """Is it running, is anything wrong, with whom."""
    made = frame(
        UID,
        "sendwatch · NOC wall / 值班大屏",
        "For the wall: is sendwatch running, is a carrier silent, is anything surging. / "
        "值班大屏：系统是否正常、哪家运营商无数据、哪类违规激增。",
        refresh="10s",
        since="now-1h",
    )
    for panel in (*_now(), *_flow(), *_wrong()):
        made.with_panel(panel)
    return made


def _now() -> Panels:
    pipeline = link("sendwatch-pipeline")
    return (
        number(
            About(
                "Firing alerts · 告警",
                "Alerts that page or make a ticket, by severity. None: all is well.",
                "正在触发的告警，按级别计数；无则正常。",
                "short",
                3,
                5,
            ),
            Ask('count by (severity) (ALERTS{alertstate="firing", severity=~"critical|warning"})', "{{severity}}"),
            steps=((None, GREEN), (1, RED)),
            empty="0",
            graph=False,
            to=link("sendwatch-slo"),
        ),
        number(
            About(
                "Workers · 实例",
                "Workers that judge what comes, and workers that Prometheus knows of. Fewer ready than known for more "
                "than a minute: look at the pipeline.",
                "就绪实例数与已知实例数；就绪数长时间偏少时查看流水线面板。",
                "short",
                3,
                5,
            ),
            Ask("sum(sendwatch_worker_ready)", "ready · 就绪"),
            Ask('count(up{job="sendwatch"})', "known · 已知"),
            steps=((None, RED), (1, GREEN)),
            graph=False,
            to=pipeline,
        ),
        number(
            About(
                "Sends judged · 判定速率",
                "Sends judged per second, of all carriers.",
                "每秒完成判定的下发条数（全部运营商）。",
                "ops",
                3,
                5,
            ),
            Ask("sum(rate(sendwatch_events_decided_total[$__rate_interval]))"),
        ),
        number(
            About(
                "Flags · 违规标记",
                "Flags raised per second, of all rules.",
                "每秒新增违规标记数（全部规则）。",
                "ops",
                3,
                5,
            ),
            Ask("sum(rate(sendwatch_flags_total[$__rate_interval]))"),
            to=link("sendwatch-compliance"),
        ),
        number(
            About(
                "Lag · 积压时延",
                "Age of the oldest record not yet read, the worst topic. From 300 s a ticket, from 900 s a page.",
                "最久未读记录的等待时间（最差主题）；超过 300 秒提单，超过 900 秒呼叫。",
                "s",
                3,
                5,
            ),
            Ask("max(sendwatch_consumer_lag_seconds)"),
            steps=((None, GREEN), (300, AMBER), (900, RED)),
            to=pipeline,
        ),
        number(
            About(
                "Event time behind · 事件时间滞后",
                "How far the time of the sends being judged lies behind the clock, in the partition furthest behind. "
                "Where nothing waits it is nothing, also on a quiet night.",
                "积压最深的分区正在判定的下发时间落后于当前时间的长度；没有待判定记录时为零，夜间亦然。",
                "s",
                3,
                5,
            ),
            Ask("time() - min(sendwatch_watermark_timestamp_seconds)"),
            to=pipeline,
        ),
        number(
            About(
                "Canary · 探针",
                "How long ago the newest canary send was that came back, of the worst partition. Every partition gets "
                "one in 15 s; from 120 s a page. None: no canary is configured.",
                "最差分区最近一次成功探针距今的时长；每个分区 15 秒一次，超过 120 秒呼叫；未配置则无数据。",
                "s",
                3,
                5,
            ),
            Ask("time() - max(sendwatch_canary_last_success_timestamp_seconds > 0)"),
            steps=((None, GREEN), (60, AMBER), (120, RED)),
            to=pipeline,
        ),
        number(
            About(
                "Version · 版本",
                "What runs, with the version of the rules. More than one for long: an upgrade got stuck.",
                "运行中的程序与规则版本；长时间并存多个版本说明升级未完成。",
                "string",
                3,
                5,
            ),
            Ask("count by (version, ruleset_version) (sendwatch_build_info)", "{{version}} · {{ruleset_version}}"),
            graph=False,
            names=True,
        ),
    )


def _flow() -> Panels:
    carrier = link("sendwatch-compliance", carrier="${__field.labels.carrier}")
    return (
        lines(
            About(
                "Sends by carrier · 各运营商下发",
                "Sends judged per second, by carrier.",
                "各运营商每秒完成判定的下发条数。",
                "ops",
                8,
                8,
            ),
            Ask("sum by (carrier) (rate(sendwatch_events_decided_total[$__rate_interval]))", "{{carrier}}"),
            to=carrier,
        ),
        lines(
            About(
                "Flags by carrier · 各运营商违规",
                "Flags raised per second, by carrier of the send.",
                "各运营商每秒新增违规标记数。",
                "ops",
                8,
                8,
            ),
            Ask("sum by (carrier) (rate(sendwatch_flags_total[$__rate_interval]))", "{{carrier}}"),
            to=carrier,
        ),
        lines(
            About(
                "Decision delay · 判定时延",
                "From the time of a flagged send to the acknowledgement of its flag, p50 and p99; objective 1 s. "
                "It says nothing of replayed or scheduled sends.",
                "从下发时间到标记写入确认的时延（中位数与 p99），目标 1 秒；对重放与定时下发无意义。",
                "s",
                8,
                8,
            ),
            Ask(f"histogram_quantile(0.5, {DELAY})", "p50"),
            Ask(f"histogram_quantile(0.99, {DELAY})", "p99"),
            steps=((None, BLUE), (1, RED)),
            to=link("sendwatch-slo"),
        ),
    )


def _wrong() -> Panels:
    return (
        states(
            About(
                "Carriers · 运营商状态",
                "Whether records of each carrier came in the 5 minutes before.",
                "此前 5 分钟内各运营商是否有数据到达。",
                "short",
                5,
                9,
            ),
            Ask(
                'sum by (carrier) (rate(sendwatch_events_consumed_total{carrier!="unknown"}[5m])) > bool 0',
                "{{carrier}}",
            ),
            {0: ("silent · 无数据", RED), 1: ("up · 正常", GREEN)},
        ),
        bars(
            About(
                "Top rules · 违规最多的规则",
                "The ten rules that flagged most in the last hour, by number of flags.",
                "最近一小时标记最多的十条规则。",
                "short",
                5,
                9,
            ),
            Ask("topk(10, sum by (rule) (increase(sendwatch_flags_total[1h])))", "{{rule}}"),
            to=link("sendwatch-compliance", rule="${__field.labels.rule}"),
        ),
        bars(
            About(
                "Complaints against the limit · 投诉与限值",
                "Complaints per send of each carrier in one day, as a share of its limit. From 50 % a ticket, from "
                "80 % a page, where there are five at least.",
                "各运营商一日内每条短信投诉数占限值的比例；达 50% 提单，达 80% 呼叫（至少五次投诉）。",
                "percentunit",
                4,
                9,
            ),
            Ask("sendwatch:complaints:ratio_increase1d / sendwatch:complaint_limit:ratio", "{{carrier}}"),
            steps=((None, GREEN), (0.5, AMBER), (0.8, RED)),
            to=link("sendwatch-compliance", carrier="${__field.labels.carrier}"),
        ),
        rows(
            About(
                "Top signatures · 违规最多的签名",
                "The ten signatures and ports with most flags in the last day. The "
                "ids stand for names: `sendwatch breaches` tells which.",
                "最近一日违规最多的十个签名与端口；编号对应的名称用该命令查看。",
                "short",
                5,
                9,
            ),
            {"signature_id": "signature · 签名", "port_id": "port · 端口"},
            Ask(TOP_SIGNATURES, "flags a day · 日标记数"),
        ),
        rows(
            About(
                "What is firing · 告警明细",
                "Each alert that fires. Its runbook section is in the alert itself.",
                "正在触发的告警；处置手册见告警内链接。",
                "short",
                5,
                9,
            ),
            {"alertname": "alert · 告警", "severity": "severity · 级别", "category": "category · 类别"},
            Ask(
                'count by (alertname, severity, category) (ALERTS{alertstate="firing", severity=~"critical|warning"})',
                "firing · 数量",
            ),
        ),
    )
