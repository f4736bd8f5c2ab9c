"""The drill-down of the compliance desk: which rule, which carrier, how much of it is certain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from grafana_foundation_sdk.builders.dashboard import Row

from boards import breaches
from boards.frame import choice, frame
from boards.panels import AMBER, GREEN, RED, About, Ask, bars, lines, link, number, rows

if TYPE_CHECKING:
    from grafana_foundation_sdk.builders.dashboard import Dashboard

    from boards.frame import Panels

UID: Final = "sendwatch-compliance"
FLAGS: Final = 'sendwatch_flags_total{carrier=~"$carrier", rule=~"$rule"}'
DECIDED: Final = 'sendwatch_events_decided_total{carrier=~"$carrier"}'
COVERED: Final = 'sendwatch_sends_covered_total{carrier=~"$carrier"}'
ALL_COVERED: Final = 'sendwatch_sends_covered_total{carrier=~"$carrier", decided="all"}'
AFTER_REFUSAL: Final = "sum by (le) (increase(sendwatch_opt_out_age_seconds_bucket[1h]))"


def board() -> Dashboard:
    """What was flagged, compared with the day before; what could not be said; what was corrected."""
    made = (
        frame(
            UID,
            "sendwatch · Compliance / 合规明细",
            "For the compliance desk: what was flagged, by rule and carrier, and how much could not be decided. / "
            "合规岗使用：按规则与运营商查看违规标记，以及无法判定的部分。",
            refresh="1m",
            since="now-6h",
        )
        .with_variable(choice("carrier", "Carrier · 运营商", "label_values(sendwatch_events_decided_total, carrier)"))
        .with_variable(choice("rule", "Rule · 规则", "label_values(sendwatch_flags_total, rule)"))
    )
    for panel in _sums():
        made.with_panel(panel)
    made.with_row(Row("Flags · 违规标记"))
    for panel in _flags():
        made.with_panel(panel)
    made.with_row(Row("Limits that many sends break together · 超限事件"))
    for panel in breaches.panels():
        made.with_panel(panel)
    made.with_row(Row("What is not known · 未决与更正"))
    for panel in _unsaid():
        made.with_panel(panel)
    return made


def _sums() -> Panels:
    return (
        number(
            About("Flags · 违规标记", "Flags raised in the time shown.", "所选时段内新增的违规标记数。", "short", 5, 4),
            Ask(f"sum(increase({FLAGS}[$__range]))"),
            graph=False,
            decimals=0,
        ),
        number(
            About(
                "Sends judged · 已判定",
                "Sends judged in the time shown; the rule chosen does not matter.",
                "所选时段内完成判定的下发条数（与规则选择无关）。",
                "short",
                5,
                4,
            ),
            Ask(f"sum(increase({DECIDED}[$__range]))"),
            graph=False,
            decimals=0,
        ),
        number(
            About(
                "Flags per 1000 sends · 千条违规",
                "Flags raised per 1000 sends judged in the time shown. One send may have several.",
                "所选时段内每千条下发的违规标记数；一条下发可有多个标记。",
                "short",
                5,
                4,
            ),
            Ask(f"1000 * sum(increase({FLAGS}[$__range])) / sum(increase({DECIDED}[$__range]))"),
            graph=False,
            decimals=2,
        ),
        number(
            About(
                "Coverage · 判定覆盖率",
                "Sends that every rule could decide, as a share of all. What is missing is undecided, not compliant.",
                "全部规则均可判定的下发占比；其余为“未决”，不等于合规。",
                "percentunit",
                5,
                4,
            ),
            Ask(f"sum(increase({ALL_COVERED}[$__range])) / sum(increase({COVERED}[$__range]))"),
            steps=((None, RED), (0.9, AMBER), (0.98, GREEN)),
            graph=False,
            decimals=1,
        ),
        number(
            About(
                "Corrections · 更正",
                "Flags raised or cleared afterwards in the time shown, since a fact came late.",
                "所选时段内因事实迟到而补记或撤销的标记数。",
                "short",
                4,
                4,
            ),
            Ask('sum by (kind) (increase(sendwatch_corrections_total{rule=~"$rule"}[$__range]))', "{{kind}}"),
            graph=False,
            decimals=0,
        ),
    )


def _flags() -> Panels:
    return (
        lines(
            About(
                "Sent after a refusal · 退订后仍下发",
                "How long after a refusal commercial sends of that owner still came: median and p90 of those sends in "
                "the hour before (C5).",
                "退订后该内容主体的商业短信仍在多久之后下发：此前 1 小时内此类下发的中位数与 p90（C5）。",
                "s",
                24,
                7,
            ),
            Ask(f"histogram_quantile(0.5, {AFTER_REFUSAL})", "p50"),
            Ask(f"histogram_quantile(0.9, {AFTER_REFUSAL})", "p90"),
        ),
        lines(
            About(
                "Flags by rule · 各规则违规",
                "Flags raised per second, by rule.",
                "各规则每秒新增违规标记数。",
                "ops",
                12,
                9,
            ),
            Ask(f"sum by (rule) (rate({FLAGS}[$__rate_interval]))", "{{rule}}"),
            stacked=True,
            to=link(UID, rule="${__field.labels.rule}"),
        ),
        lines(
            About(
                "Against yesterday · 与昨日对比",
                "Flags raised per second now, and at the same hour a day before.",
                "当前与前一日同一时刻的每秒违规标记数对比。",
                "ops",
                12,
                9,
            ),
            Ask(f"sum(rate({FLAGS}[$__rate_interval]))", "now · 当前"),
            Ask(f"sum(rate({FLAGS}[$__rate_interval] offset 1d))", "a day before · 前一日"),
        ),
        rows(
            About(
                "Rules · 规则汇总",
                "Flags raised in the time shown, and those raised or cleared afterwards, by rule.",
                "所选时段内各规则的标记数，以及事后补记与撤销数。",
                "short",
                12,
                11,
            ),
            {"rule": "rule · 规则", "severity": "severity · 级别"},
            Ask(f"sum by (rule, severity) (increase({FLAGS}[$__range]))", "flags · 标记"),
            Ask(_corrected("raised"), "raised late · 补记"),
            Ask(_corrected("cleared"), "cleared late · 撤销"),
        ),
        bars(
            About(
                "By carrier · 按运营商",
                "Flags raised in the time shown, by carrier of the send.",
                "所选时段内各运营商的违规标记数。",
                "short",
                6,
                11,
            ),
            Ask(f"sort_desc(sum by (carrier) (increase({FLAGS}[$__range])))", "{{carrier}}"),
            to=link(UID, carrier="${__field.labels.carrier}"),
        ),
        bars(
            About(
                "By severity · 按级别",
                "Flags raised in the time shown, by severity.",
                "所选时段内各级别的违规标记数。",
                "short",
                6,
                11,
            ),
            Ask(f"sort_desc(sum by (severity) (increase({FLAGS}[$__range])))", "{{severity}}"),
        ),
    )


def _corrected(kind: str) -> str:
    raised = f'sum by (rule) (increase(sendwatch_corrections_total{{rule=~"$rule", kind="{kind}"}}[$__range]))'
    severity = f"(group by (rule, severity) ({FLAGS}))"
    return f"{severity} * on (rule) group_left {raised}"


def _unsaid() -> Panels:
    return (
        lines(
            About(
                "What came of sends · 判定结果",
                "Sends judged per second, by what came of it. Suppressed: flagged, but every flag is excepted. "
                "Undecided: nothing flagged, and not all could be said.",
                "每秒判定结果。suppressed：虽有标记但均属豁免；undecided：未标记且有规则无法判定。",
                "ops",
                12,
                9,
            ),
            Ask(f"sum by (outcome) (rate({DECIDED}[$__rate_interval]))", "{{outcome}}"),
            stacked=True,
        ),
        lines(
            About(
                "Coverage by carrier · 各运营商覆盖率",
                "Sends that every rule could decide, as a share of all, by carrier.",
                "各运营商中全部规则均可判定的下发占比。",
                "percentunit",
                12,
                9,
            ),
            Ask(
                f"sum by (carrier) (rate({ALL_COVERED}[$__rate_interval])) / "
                f"sum by (carrier) (rate({COVERED}[$__rate_interval]))",
                "{{carrier}}",
            ),
        ),
        bars(
            About(
                "Why undecided · 未决原因",
                "What was missing when a rule could not say, in the time shown. `fault`: the rule itself failed; see "
                "the log.",
                "所选时段内规则无法判定的原因；fault 表示规则自身出错，请查日志。",
                "short",
                12,
                9,
            ),
            Ask(
                'sort_desc(sum by (reason) (increase(sendwatch_undecided_total{rule=~"$rule"}[$__range])))',
                "{{reason}}",
            ),
        ),
        lines(
            About(
                "Corrections by rule · 各规则更正",
                "Flags raised or cleared afterwards per second, by rule: facts that came late.",
                "各规则每秒事后补记或撤销的标记数（事实迟到）。",
                "ops",
                12,
                9,
            ),
            Ask(
                'sum by (rule, kind) (rate(sendwatch_corrections_total{rule=~"$rule"}[$__rate_interval])) > 0',
                "{{rule}} {{kind}}",
            ),
        ),
    )
