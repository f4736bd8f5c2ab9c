"""Objectives and alerting: how much budget is left, how fast it burns, and whether alerts get through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from grafana_foundation_sdk.builders.dashboard import Row

from boards.frame import frame
from boards.panels import AMBER, BLUE, GREEN, RED, About, Ask, lines, number, rows, states

if TYPE_CHECKING:
    from grafana_foundation_sdk.builders.dashboard import Dashboard

    from boards.frame import Panels

UID: Final = "sendwatch-slo"
IN_TIME: Final = 'sendwatch_decision_delay_seconds_bucket{le="1.0"}'
ALL: Final = "sendwatch_decision_delay_seconds_count"
ALLOWED: Final = 0.001  # of all flags may take longer than a second
SEVERE: Final = 'severity=~"critical|warning"'


def board() -> Dashboard:
    """The objective of a second, coverage, and the way of an alert from Prometheus to people."""
    made = frame(
        UID,
        "sendwatch · SLO & alerting / 目标与告警",
        "For who answers for the service: budget, burn rates, and whether alerts reach people. / "
        "服务负责人使用：误差预算、消耗速度，以及告警能否送达。",
        refresh="1m",
        since="now-24h",
    )
    for name, panels in (
        ("Objective: 99.9 % of flags within 1 s · 目标：99.9 % 标记 1 秒内发出", _objective()),
        ("Alerts · 告警", _alerts()),
        ("Their way to people · 告警送达", _delivery()),
    ):
        made.with_row(Row(name))
        for panel in panels:
            made.with_panel(panel)
    return made


def _late(window: str) -> str:
    return f"1 - sum(increase({IN_TIME}[{window}])) / sum(increase({ALL}[{window}]))"


def _objective() -> Panels:
    return (
        number(
            About(
                "In time · 按时率",
                "Flags acknowledged within a second of their send, as a share of all in the time shown. It says "
                "nothing while history is replayed.",
                "所选时段内 1 秒内写入确认的标记占比；重放历史数据时无意义。",
                "percentunit",
                6,
                7,
            ),
            Ask(f"1 - ({_late('$__range')})"),
            steps=((None, RED), (0.999, GREEN)),
            graph=False,
            decimals=3,
        ),
        number(
            About(
                "Budget left · 剩余预算",
                "What is left of the 0.1 % that may be late in 30 days. Below zero the objective is missed.",
                "30 天内 0.1 % 误差预算的剩余比例；小于零即未达标。",
                "percentunit",
                6,
                7,
            ),
            Ask(f"1 - ({_late('30d')}) / {ALLOWED}"),
            steps=((None, RED), (0, AMBER), (0.25, GREEN)),
            graph=False,
            decimals=1,
        ),
        lines(
            About(
                "Burn rate · 预算消耗速度",
                "How many times faster than allowed the budget burns, over each window. A page at 14.4 (1 h) or 6 "
                "(6 h), a ticket at 3 (1 d) or 1 (3 d), each if the short window agrees.",
                "各时间窗内预算消耗为允许速度的倍数；1 小时 14.4 倍或 6 小时 6 倍呼叫，1 天 3 倍或 3 天 1 倍提单。",
                "short",
                12,
                7,
            ),
            *(
                Ask(f"max(sendwatch:decision_slow:ratio_rate{window}) / {ALLOWED}", window)
                for window in ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
            ),
            steps=((None, BLUE), (1, AMBER), (6, RED), (14.4, RED)),
        ),
        lines(
            About(
                "Coverage · 判定覆盖率",
                "Sends that every rule could decide, as a share of all, over 30 minutes, by carrier.",
                "30 分钟内各运营商中全部规则均可判定的下发占比。",
                "percentunit",
                8,
                8,
            ),
            Ask("min by (carrier) (sendwatch:sends_covered:ratio_rate30m)", "{{carrier}}"),
        ),
        lines(
            About(
                "Quarantined · 隔离比例",
                "Records put into quarantine, as a share of those read. From 0.1 % a ticket.",
                "被隔离记录占读取记录的比例；超过 0.1 % 提单。",
                "percentunit",
                8,
                8,
            ),
            Ask(
                "sum(rate(sendwatch_events_rejected_total[$__rate_interval])) / "
                "sum(rate(sendwatch_events_consumed_total[$__rate_interval]))",
                "quarantined · 隔离",
            ),
            steps=((None, BLUE), (0.001, AMBER)),
        ),
        lines(
            About(
                "Ready · 可用率",
                "Share of the workers that judge what comes.",
                "正在判定的实例占比。",
                "percentunit",
                8,
                8,
            ),
            Ask('sum(sendwatch_worker_ready) / count(up{job="sendwatch"})', "ready · 就绪"),
        ),
    )


def _alerts() -> Panels:
    return (
        lines(
            About(
                "Firing · 触发数",
                "Alerts that fire, by severity.",
                "正在触发的告警数，按级别。",
                "short",
                12,
                8,
            ),
            Ask(f'count by (severity) (ALERTS{{alertstate="firing", {SEVERE}}})', "{{severity}}"),
            stacked=True,
        ),
        rows(
            About(
                "Pending and firing · 待定与触发",
                "Each alert that fires or soon may.",
                "正在触发或即将触发的告警。",
                "short",
                12,
                8,
            ),
            {
                "alertname": "alert · 告警",
                "alertstate": "state · 状态",
                "severity": "severity · 级别",
                "category": "category · 类别",
            },
            Ask(f"count by (alertname, alertstate, severity, category) (ALERTS{{{SEVERE}}})", "count · 数量"),
        ),
    )


def _delivery() -> Panels:
    return (
        states(
            About(
                "Dead man's switch · 心跳告警",
                "Watchdog always fires; who is outside calls when it stops coming.",
                "Watchdog 应始终触发；外部观察者在其中断时通知。",
                "short",
                8,
                8,
            ),
            Ask('max by (alertname) (ALERTS{alertname="Watchdog", alertstate="firing"})', "{{alertname}}"),
            {1: ("fires · 正常", GREEN)},
        ),
        lines(
            About(
                "Notifications · 通知发送",
                "Notifications that Alertmanager tried to send per second, by integration.",
                "Alertmanager 每秒尝试发送的通知数，按通道。",
                "ops",
                8,
                8,
            ),
            Ask("sum by (integration) (rate(alertmanager_notifications_total[$__rate_interval]))", "{{integration}}"),
        ),
        lines(
            About(
                "Notifications failed · 通知失败",
                "Notifications that did not get through per second, by integration and reason (reasons from "
                "Alertmanager 0.26 on).",
                "每秒未送达的通知数，按通道与原因（原因自 Alertmanager 0.26 起提供）。",
                "ops",
                8,
                8,
            ),
            Ask(
                "sum by (integration, reason) (rate(alertmanager_notifications_failed_total[$__rate_interval]))",
                "{{integration}} {{reason}}",
            ),
            steps=((None, BLUE), (0.001, RED)),
        ),
        lines(
            About(
                "From Prometheus · 告警投递",
                "Alerts per second that Prometheus handed to Alertmanager, failed to, or dropped.",
                "Prometheus 每秒投递给 Alertmanager、投递失败与丢弃的告警数。",
                "ops",
                8,
                8,
            ),
            Ask("sum(rate(prometheus_notifications_sent_total[$__rate_interval]))", "sent · 已投递"),
            Ask("sum(rate(prometheus_notifications_errors_total[$__rate_interval]))", "failed · 失败"),
            Ask("sum(rate(prometheus_notifications_dropped_total[$__rate_interval]))", "dropped · 丢弃"),
        ),
        lines(
            About(
                "Rules that fail · 规则计算失败",
                "Alerting and recording rules that Prometheus could not evaluate, per second.",
                "Prometheus 每秒计算失败的告警与记录规则数。",
                "ops",
                8,
                8,
            ),
            Ask("sum(rate(prometheus_rule_evaluation_failures_total[$__rate_interval]))", "failed · 失败"),
        ),
        states(
            About(
                "Configuration · 配置加载",
                "Whether each program could use its configuration when it last read it.",
                "各程序最近一次读取配置是否成功。",
                "short",
                8,
                8,
            ),
            Ask(
                "min by (job, instance) (sendwatch_config_last_reload_successful or "
                "prometheus_config_last_reload_successful or alertmanager_config_last_reload_successful)",
                "{{job}} {{instance}}",
            ),
            {0: ("refused · 失败", RED), 1: ("in use · 成功", GREEN)},
        ),
    )
