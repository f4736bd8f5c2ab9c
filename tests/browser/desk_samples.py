"""A made-up day as the API tells it, in the API's own types: flags of every rule, from the rules' own examples."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from random import Random
from typing import Any

import msgspec

from sendwatch import law, rules
from sendwatch.days import DAY, HOUR, MINUTE
from sendwatch.desk import say, say_check
from sendwatch.desk import say_counts as counts
from sendwatch.desk.provinces import PROVINCES
from sendwatch.example import facts_of_example
from sendwatch.judge import Rulebook, answers
from sendwatch.outgoing import Law
from sendwatch.verdict import Flag, Outcome, Words
from sendwatch.windows.outbreaks import RULES as WINDOWED
from sendwatch.windows.vane import New, Rise
from sendwatch.wording import OUTCOMES, reason_words

NOW = 1_794_189_720_000  # 2026-11-09, 10:02 in UTC+8
MODULES = rules.discover()
BOOK = Rulebook(MODULES, law.load())
OWNERS = {
    "91990000MA00095JCD": "溪谷嘉购物网有限公司",
    "91990000MA00011XQ2": "云岭商贸有限公司",
    "91990000MA0003PLK7": "北屿消费金融有限公司",
    "91990000MA00048TR1": "长汀优选电子商务有限公司",
    "91990000MA00052WB9": "青禾生活科技有限公司",
    "91990000MA00067ZU4": "海棠分期信息服务有限公司",
}
SIGNATURES = ("溪谷嘉购物网", "云岭商贸", "北屿金融", "长汀优选", "青禾生活", "海棠分期")
PORTS = ("106984960008", "10690001", "106957220114", "1069812034455", "106588001", "10684410")
WEIGHTS = {"C1": 41, "C2": 12, "C3": 9, "C5": 33, "C8": 26, "C9": 6, "G2": 58, "G4": 21, "G5": 7, "G6": 17, "B1": 14}
WEIGHTS |= {"C6": 3, "C7": 2, "G1": 11, "G3": 4, "G7": 19, "G8": 5, "B2": 8}


def _example_flag(rule_id: str) -> tuple[Flag, Any]:
    """The flag of a rule's first example that it flags, and the facts behind it."""
    for example in MODULES[rule_id].EXAMPLES:
        if example.outcome is Outcome.FLAGGED:
            facts = facts_of_example(example)
            for answer in answers(facts, BOOK):
                if answer.rule == rule_id and answer.flag is not None:
                    return answer.flag, facts
    raise AssertionError(rule_id)


EXAMPLES = {rule_id: _example_flag(rule_id) for rule_id in MODULES}


def a_flag(number: int, rule_id: str | None = None, *, at: int = NOW, status: str = "raised") -> say.Brief:
    """Flag number so-and-so: the same number gives the same flag."""
    random = Random(number)
    ids = list(MODULES)
    rule_id = rule_id or random.choices(ids, [WEIGHTS.get(each[:2], 1) for each in ids])[0]
    flag, facts = EXAMPLES[rule_id]
    who = random.randrange(len(OWNERS))
    owner, kind = list(OWNERS)[who], facts.type or "marketing.retail"
    send = say.FlagSend(
        f"09-{number:010d}",
        f"SP9000{who:02d}",
        PORTS[who],
        random.choice(("CMCC", "CUCC", "CTCC")),
        random.choice(list(PROVINCES)[:31]),
        SIGNATURES[who],
        owner,
        kind,
        at - 300,
    )
    words = flag.rule.reason.filled({**msgspec.structs.asdict(send), **flag.evidence})
    return say.Brief(
        flag_id=f"{number:032x}",
        seq=number,
        status=status,
        shadow=False,
        rule=rule_id,
        title=flag.rule.title,
        severity=flag.severity.value,
        law=Law(flag.pack, flag.clause, flag.checked),
        reason=words,
        send=send,
        owner_name=OWNERS[owner],
        source=f"sms.sends:{number % 4}:{number}",
        late=number % 9 == 4,
        revision=1,
        judged_at=at,
        disposition=None,
    )


def whole(brief: say.Brief, history: list[say.Disposition]) -> say.WholeFlag:
    """The same with its evidence."""
    return say.WholeFlag(
        **msgspec.structs.asdict(brief),
        recipient="36159381a40289be2fa7ec2800559846",
        evidence=EXAMPLES[brief.rule][0].evidence,
        because=None,
        type_source="text",
        version={"sendwatch": "0.1.0", "rules": "3d1742c0c6ba", "config": "4df351c27761"},
        epoch=1,
        history=history,
    )


def rule_answers(rule_id: str) -> list[say.RuleAnswer]:
    """Every rule's answer about the example of one."""
    told = []
    for each in answers(EXAMPLES[rule_id][1], BOOK):
        flag = each.flag
        told.append(
            say.RuleAnswer(
                each.rule,
                MODULES[each.rule].RULE.title,
                each.outcome.value,
                OUTCOMES[each.outcome],
                each.reason,
                reason_words(each.reason) if each.reason else None,
                flag.evidence if flag else None,
                Law(flag.pack, flag.clause, flag.checked) if flag else None,
            )
        )
    return told


def explained(brief: say.Brief) -> say.Explanation:
    """The flag's send, explained."""
    send = brief.send
    text = "\n".join(
        f"  {each.rule:<28} {each.outcome_words.en} {each.outcome_words.zh}" for each in rule_answers(brief.rule)
    )
    facts = say.ExplainedSend(
        send.id, send.at, send.sp, send.port, send.signature, send.type, "text", send.owner, "", []
    )
    return say.Explanation(brief.source, "worker", f"send {send.id}\n{text}", facts, rule_answers(brief.rule))


def a_breach(number: int, rule: int, subject: dict[str, str | None], **measures: float | str) -> say.BreachView:
    """An open breach of the `rule`-th windowed rule."""
    known = WINDOWED[rule]
    owner = OWNERS.get(subject.get("owner") or "")
    return say.BreachView(
        breach_id=f"b{number:031x}",
        status="open",
        rule=known.id,
        title=known.title,
        severity=known.severity.value,
        subject=subject,
        names={"owner": owner} if owner else {},
        window={"from": NOW - HOUR, "until": NOW},
        measures=measures,
        limit={"complaints_per_million": 0.25},
        reason=known.reason_of(subject, measures),
        opened_at=NOW - number * 23 * MINUTE,
        closed_at=None,
        disposition=None,
    )


BREACHES = (
    a_breach(1, 0, {"owner": "91990000MA0003PLK7", "port": "106957220114"}, complaints=7, sends=19_400_000),
    a_breach(2, 2, {"fingerprint": "7c1e09a2"}, sends=4_120, signatures=6, ports=5),
    a_breach(3, 3, {"recipient": "36159381a40289be2fa7ec2800559846", "owner": "91990000MA00067ZU4"}, blocked=3),
)


def _counted(subject: str, name: Words | None, sends: int, share: float, complaints: int = 0) -> counts.Counted:
    return counts.Counted(subject, name, sends, round(sends * share), round(sends * 0.011), complaints)


def _series(window: Any, width: int, buckets: int, mean: float) -> counts.Series:
    """A day's shape: quiet at night, busy at eleven and at eight in the evening."""
    random, last = Random(buckets), NOW // width
    starts = [(last - buckets + 1 + n) * width for n in range(buckets)]
    hours = [((at + 8 * HOUR) % DAY) / HOUR for at in starts]
    shape = [
        0.12 + math.exp(-(((hour - 11) / 3.5) ** 2)) + 1.3 * math.exp(-(((hour - 20) / 2.2) ** 2)) for hour in hours
    ]
    sends = [(at, round(mean * size * random.uniform(0.88, 1.12))) for at, size in zip(starts, shape, strict=True)]
    flagged = [(at, round(n * random.uniform(0.004, 0.016))) for at, n in sends]
    undecided = [(at, round(n * random.uniform(0.005, 0.03))) for at, n in sends]
    return counts.Series(window, width, starts[0], starts[-1] + width, sends, flagged, undecided, [])


@dataclass
class Day:
    """What the server knows: change it, and the next answer is another."""

    flags: list[say.Brief] = field(default_factory=lambda: [a_flag(n, at=NOW - (60 - n) * 2100) for n in range(1, 61)])
    deeds: list[say.Disposition] = field(default_factory=list)
    breaches: list[say.BreachView] = field(default_factory=lambda: list(BREACHES))
    counting: bool = True
    sends_per_second: float = 812.4
    behind: list[counts.Behind] = field(default_factory=list)

    def summary(self, window: Any, wall_at: int) -> counts.Summary:
        """All of it."""
        names = [(owner, Words(name, name)) for owner, name in OWNERS.items()]
        share = (0.034, 0.012, 0.058, 0.007, 0.003, 0.021)
        sent = (61_200, 48_900, 20_410, 77_300, 102_000, 9_870)
        if not self.counting:
            return _nothing(window, wall_at, self)
        return counts.Summary(
            at=NOW,
            wall_at=wall_at,
            version="0.1.0",
            window=window,
            counting=True,
            rates=counts.Rates(self.sends_per_second, 12.2, 9.1),
            totals={
                "10m": counts.Counts(480_210, 4_410, 5_300, 0),
                "1h": counts.Counts(2_913_000, 25_800, 31_200, 0),
                "1d": counts.Counts(41_380_000, 371_000, 455_000, 9),
                "30d": counts.Counts(902_000_000, 7_710_000, 9_840_000, 214),
            },
            coverage={"10m": 0.98896, "1h": 0.98929, "1d": 0.98901, "30d": 0.98909},
            rules=_rule_counts(),
            carriers=[
                _counted("CMCC", None, 24_800_000, 0.0081),
                _counted("CUCC", None, 9_410_000, 0.0104),
                _counted("CTCC", None, 7_030_000, 0.0093),
                _counted("CBN", None, 140_000, 0.031),
            ],
            provinces=[
                counts.Counted(None, None, 61_000, 810, 61_000, 0),
                *(_counted(code, name, *_province(code)) for code, name in list(PROVINCES.items())[:31]),
            ],
            types=[_counted("marketing.retail", None, 20_000_000, 0.01)],
            top={
                "owner": [_counted(*names[n], sent[n], share[n], n) for n in (0, 2, 1, 3, 4, 5)],
                "signature": [_counted(SIGNATURES[n], None, sent[n], share[n], n) for n in (0, 2, 1, 3, 4, 5)],
                "port": [_counted(PORTS[n], None, sent[n], share[n], n) for n in (0, 2, 1, 3, 4, 5)],
                "sp": [],
            },
            series=_series(
                window if window in ("1d", "30d") else "1d", HOUR, 720 if window == "30d" else 24, 1_900_000
            ),
            live=_series("1h", MINUTE, 60, 48_000),
            breaches=counts.Breached(self.breaches, _open(self.breaches)),
            optouts=counts.Optouts(
                40_320,
                512,
                31,
                [
                    counts.Level(owner, name, 1200 - 190 * n, 88 - 15 * n, 9 - 2 * n if n < 4 else 0)
                    for n, (owner, name) in enumerate(names)
                ],
            ),
            complaints=_complaints(names),
            vane=counts.Vane(
                [Rise("complaints", (names[2][0],), NOW // HOUR, 7, 1.2, 0.0001, 0.5, "双11")],
                [Rise("sends", (names[0][0],), NOW // HOUR, 88_000, 21_400.0, 0.0, 900.0, "双11")],
                [New(("海棠分期付",), NOW - 5 * HOUR, 4_120, 33.0)],
                [New(("106900077812",), NOW - 9 * HOUR, 812, 4.0)],
            ),
            latest=self.flags[-20:][::-1],
            dispositions=counts.Disposed(
                dict.fromkeys(("confirm", "dismiss", "except", "suspend", "appeal"), 0), self.deeds[-5:]
            ),
            precision=[
                say.Precision(
                    "G2_SIGNATURE_UNFILED", MODULES["G2_SIGNATURE_UNFILED"].RULE.title, 46, 2, 0.958, 0.86, 0.988
                ),
                say.Precision("C8_NO_OPT_OUT_TEXT", MODULES["C8_NO_OPT_OUT_TEXT"].RULE.title, 8, 2, 0.8, 0.49, 0.943),
            ],
            health=_health(wall_at, self.behind),
        )

    def pulse(self, wall_at: int) -> counts.Pulse:
        """The heartbeat."""
        found = self.summary("1d", wall_at)
        by_rule = {each.rule: each.flags for each in found.rules}
        return counts.Pulse(
            found.at,
            wall_at,
            found.counting,
            found.rates,
            found.totals,
            found.coverage,
            found.health,
            found.breaches.by_rule,
            by_rule,
        )


def _open(breaches: list[say.BreachView]) -> dict[str, int]:
    return {rule.id: sum(each.rule == rule.id for each in breaches) for rule in WINDOWED}


def _province(code: str) -> tuple[int, float]:
    random = Random(code)
    return round(random.paretovariate(1.1) * 400_000), random.uniform(0.002, 0.02)


def _rule_counts() -> list[counts.RuleCount]:
    return [
        counts.RuleCount(
            each,
            module.RULE.title,
            module.RULE.severity.value,
            "shadow" if each.startswith("B7") else "on",
            WEIGHTS.get(each[:2], 0) * 997,
            WEIGHTS.get(each[:2], 0) * 21_000,
        )
        for each, module in MODULES.items()
    ]


def _complaints(names: list[tuple[str, Words]]) -> counts.Complaints:
    random, midnight = Random(5), (NOW + 8 * HOUR) // DAY * DAY - 8 * HOUR
    days = []
    for before in range(29, -1, -1):
        found, sends = random.choice((0, 2, 3, 5, 8)) + (4 if before < 8 else 0), round(random.uniform(2.4e7, 3.8e7))
        days.append(counts.ComplaintDay(midnight - before * DAY, found, sends, round(found / sends * 1e6, 4)))
    worst = [
        counts.Complained(names[2][0], names[2][1], PORTS[2], 7, 19_400_000, 0.36, 0.2952, 1.1809),
        counts.Complained(names[0][0], names[0][1], PORTS[0], 6, 31_000_000, 0.19, 0.19, 0.7609),
        counts.Complained(names[5][0], names[5][1], PORTS[5], 5, 44_000_000, 0.11, 0.07, 0.2912),
    ]
    promotions = [
        counts.PromotionView("双11", NOW - 20 * DAY, NOW + 4 * DAY),
        counts.PromotionView("双12", NOW + 22 * DAY, NOW + 35 * DAY),
    ]
    return counts.Complaints(0.237, 0.25, 5, DAY, days, worst, {"marketing.retail": 150}, promotions)


def _health(wall_at: int, behind: list[counts.Behind]) -> counts.Health:
    workers = [
        counts.WorkerView(f"http://127.0.0.1:806{n}", f"worker-{n}", [n * 2, n * 2 + 1], n != 3) for n in range(4)
    ]
    return counts.Health(
        not behind,
        8,
        214,
        3,
        wall_at - 400,
        NOW,
        counts.Corrections(38, 21),
        10_000,
        True,
        workers,
        {"signature": 12},
        behind,
    )


def _nothing(window: Any, wall_at: int, day: Day) -> counts.Summary:
    none = counts.Series(window, HOUR, 0, 0, [], [], [], [])
    return counts.Summary(
        at=0,
        wall_at=wall_at,
        version="0.1.0",
        window=window,
        counting=False,
        rates=counts.Rates(),
        totals={},
        coverage={},
        rules=[],
        carriers=[],
        provinces=[],
        types=[],
        top={},
        series=none,
        live=none,
        breaches=counts.Breached([], {}),
        optouts=counts.Optouts(0, 0, 0, []),
        complaints=counts.Complaints(0, 0.25, 5, DAY, [], [], {}, []),
        vane=counts.Vane([], [], [], []),
        latest=[],
        dispositions=counts.Disposed({}, []),
        precision=[],
        health=_health(wall_at, day.behind),
    )


def checked(recipients: list[str]) -> say_check.CheckAnswer:
    """The answer to a check: every third recipient had refused, every fifth's history is not known."""
    flag = EXAMPLES["C5_AFTER_OPT_OUT"][0]
    told = []
    for n, _ in enumerate(recipients):
        if n % 3 == 0:
            words = flag.rule.reason.filled({**flag.evidence, "owner": "91990000MA00095JCD"})
            clause = Law(flag.pack, flag.clause, flag.checked)
            why = say_check.CheckFlag(
                flag.rule.id, flag.rule.title, "high", shadow=False, reason=words, evidence=flag.evidence, law=clause
            )
            told.append(say_check.Checked(n, f"{n:032x}", "flagged", "worker", [why]))
        elif n % 5 == 0:
            told.append(
                say_check.Checked(n, f"{n:032x}", "unknown", None, why="nobody who knows this recipient answered")
            )
    flagged = sum(each.verdict == "flagged" for each in told)
    unknown = len(told) - flagged
    return say_check.CheckAnswer(
        at=NOW,
        complete=not unknown,
        asked=len(recipients),
        by={"worker": len(recipients), "desk": 0, "topics": 0},
        sum=say_check.CheckSum(flagged=flagged, clean=len(recipients) - len(told), unknown=unknown),
        rules=[say_check.CheckedRule(flag.rule.id, flag.rule.title, "high", flagged, {}, unknown)],
        send=say.ExplainedSend(
            "-", NOW, "SP900000", PORTS[0], SIGNATURES[0], "marketing.retail", "text", next(iter(OWNERS)), "", []
        ),
        answers=rule_answers("C8_NO_OPT_OUT_TEXT"),
        readiness=say_check.ReadinessView(
            next(iter(OWNERS)),
            0.31,
            4,
            [say_check.ConcernView("B1_QUIET_HOURS", MODULES["B1_QUIET_HOURS"].RULE.title, True, {"at": NOW})],
        ),
        recipients=told,
        left_out=0,
        notes=[],
    )
