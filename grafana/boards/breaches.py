"""The part of the compliance desk's dashboard on what many sends amount to: breaches, complaints, windows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from boards.panels import AMBER, BLUE, GREEN, RED, About, Ask, bars, lines, number, rows, states

if TYPE_CHECKING:
    from boards.frame import Panels


def panels() -> Panels:
    """Which limits are broken, what complaints come to, and how far the adding up is."""
    return (
        bars(
            About(
                "Open breaches · 未关闭的超限事件",
                "Breaches that are open now, by rule: complaints (B3), harvest (B4), evasion (B5), retaliation (B6). "
                "`sendwatch breaches` lists them.",
                "未关闭的超限事件数：投诉率（B3）、撞号（B4）、规避（B5）、投诉报复（B6）。明细用该命令查看。",
                "short",
                6,
                8,
            ),
            Ask("sort_desc(max by (rule) (sendwatch_breaches_open))", "{{rule}}"),
        ),
        states(
            About(
                "Breaches over time · 超限事件时间线",
                "Each breach while it is open, by rule and key. `sendwatch breaches` names whom it is about.",
                "各超限事件的持续时间，按规则与事件号；涉及主体用该命令查看。",
                "short",
                10,
                8,
            ),
            Ask("max by (rule, breach) (sendwatch_signature_breach)", "{{rule}} {{breach}}"),
            {1: ("open · 超限", RED)},
        ),
        rows(
            About(
                "Who breaches · 超限主体",
                "The breaches that are open: rule, key, and the ids of whom each is about and of its port. "
                "`sendwatch breaches` tells the names behind ids.",
                "未关闭的超限事件：规则、事件号、主体与端口编号；编号对应的名称用该命令查看。",
                "short",
                8,
                8,
            ),
            {"rule": "rule · 规则", "breach": "key · 事件号", "signature_id": "who · 主体", "port_id": "port · 端口"},
            Ask("max by (rule, breach, signature_id, port_id) (sendwatch_signature_breach)", "open · 超限"),
        ),
        lines(
            About(
                "Complaints · 投诉趋势",
                "Complaints in the hour before, one per message, by the carrier of the send that they are about.",
                "此前 1 小时内的投诉数（按短信去重），按被投诉短信的运营商。",
                "short",
                8,
                8,
            ),
            Ask('sum by (carrier) (increase(sendwatch_complaints_total{carrier=~"$carrier"}[1h]))', "{{carrier}}"),
            stacked=True,
        ),
        lines(
            About(
                "Complaints against the limit · 投诉与限值",
                "Complaints per send of each carrier in one day, as a share of its limit. From 50 % a ticket, from "
                "80 % a page, where there are five at least.",
                "各运营商一日内每条短信投诉数占限值的比例；达 50% 提单，达 80% 呼叫（至少五次投诉）。",
                "percentunit",
                8,
                8,
            ),
            Ask(
                'sendwatch:complaints:ratio_increase1d{carrier=~"$carrier"} '
                "/ on (cluster, carrier) max by (cluster, carrier) (sendwatch_complaint_limit_ratio)",
                "{{carrier}}",
            ),
            steps=((None, BLUE), (0.5, AMBER), (0.8, RED)),
        ),
        rows(
            About(
                "Top signatures · 违规最多的签名",
                "The signatures and ports with most flags in the last day, at most fifty; the count is at least the "
                "truth. `sendwatch breaches` tells the names behind ids.",
                "最近一日违规最多的签名与端口（至多五十个，计数为上界）；编号对应的名称用该命令查看。",
                "short",
                8,
                8,
            ),
            {"signature_id": "signature · 签名", "port_id": "port · 端口"},
            Ask(
                "sort_desc(86400 * max by (signature_id, port_id) (sendwatch_top_signature_flag_rate))",
                "flags a day · 日标记数",
            ),
        ),
        *_added_up(),
    )


def _added_up() -> Panels:
    return (
        number(
            About(
                "In windows · 滑动窗口",
                "Sends judged and complaints received in sliding windows of event time.",
                "按事件时间滑动窗口统计的下发与投诉数。",
                "short",
                8,
                8,
            ),
            Ask("max by (window) (sendwatch_windows_sends)", "sends · 下发 {{window}}"),
            Ask("max by (window) (sendwatch_windows_complaints)", "complaints · 投诉 {{window}}"),
            graph=False,
            decimals=0,
        ),
        number(
            About(
                "Coverage in windows · 窗口覆盖率",
                "Share of the sends of a sliding window that every rule decided.",
                "滑动窗口内全部规则均可判定的下发占比。",
                "percentunit",
                4,
                8,
            ),
            Ask("max by (window) (sendwatch_windows_coverage_ratio)", "{{window}}"),
            steps=((None, RED), (0.9, AMBER), (0.98, GREEN)),
            graph=False,
            decimals=1,
        ),
        number(
            About(
                "Refusals heeded · 退订履行",
                "In the last 30 days: refusals by reply, commercial sends after a refusal (C5), and those 48 hours and "
                "more after a reply (C9).",
                "最近 30 天：回复退订数、退订后仍下发的商业短信（C5）、其中超过 48 小时的（C9）。",
                "short",
                4,
                8,
            ),
            Ask("max by (what) (sendwatch_windows_opt_outs)", "{{what}}"),
            graph=False,
            decimals=0,
        ),
        lines(
            About(
                "Ledger not yet added up · 待汇总台账",
                "Ledger records that the one process that adds them up has not read yet. While it grows, breaches are "
                "late. Nothing is shown: no process does it. First stage: those that `sendwatch rollup` has not read.",
                "汇总进程尚未处理的台账记录数；持续增长则超限事件滞后，无数据表示没有汇总进程。"
                "分区预汇总为 sendwatch rollup 尚未处理的记录。",
                "short",
                4,
                8,
            ),
            Ask("max by (topic) (sendwatch_ledger_behind_records)", "{{topic}}"),
            Ask("sum(sendwatch_rollup_behind_records) or vector(0)", "first stage · 分区预汇总"),
        ),
        number(
            About(
                "Added up until · 汇总时点",
                "How long ago the newest ledger record was written that is added up; nothing where none waits. From "
                "600 s a ticket.",
                "最近一条已汇总台账距今的时长；无待汇总记录时为零，超过 600 秒提单。",
                "s",
                4,
                8,
            ),
            Ask("time() - max(sendwatch_ledger_added_up_timestamp_seconds)"),
            steps=((None, GREEN), (600, AMBER)),
        ),
    )
