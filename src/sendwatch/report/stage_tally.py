"""Counting the numbers of a stage report from what was published.

Belongs here: every count, as SQL over the archive's kinds. Not here: what is counted (`stage_numbers.py`), where the
tables come from (`stage_source.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sendwatch.report.stage_decisions import deeds
from sendwatch.report.stage_numbers import COUNTED, Day, Group, Numbers, RuleLine, Totals

if TYPE_CHECKING:
    from sendwatch.report.stage import Scope, Span
    from sendwatch.report.stage_source import Source

LONGEST = 20
FAMILIES = ("owner", "signature", "port", "province", "sp", "type")

NET = """
create or replace temp table net as
select * from flags qualify row_number() over (partition by flag_id order by partition, "offset" desc) = 1
"""
DECIDED = """
create or replace temp table decided as
select about_id, action from dispositions where about_kind = 'flag'
qualify row_number() over (partition by about_id order by partition, "offset" desc) = 1
"""
STANDING = "status = 'raised' and not shadow"


def count(source: Source, scope: Scope) -> Numbers:
    """Count everything."""
    source.asked.execute(NET)
    source.asked.execute(DECIDED)
    within = _Within(source, scope)
    found = Numbers(totals={}, source=source.told)
    for span in scope.spans:
        totals = within.totals(span)
        if span.role == "this" or totals.sends:
            found.totals[span.role] = totals
    compared = next((span for span in scope.spans[1:] if span.role in found.totals), None)
    within.rules(found, compared)
    for family in FAMILIES:
        within.group(found, family)
    within.days(found)
    within.complaints_by_channel(found)
    within.coverage(found)
    within.the_rest(found)
    return found


class _Within:
    """Questions about one scope."""

    def __init__(self, source: Source, scope: Scope) -> None:
        self.source, self.scope = source, scope
        self.own = "true" if scope.owner is None else "owner = ?"
        self.given: tuple[object, ...] = () if scope.owner is None else (scope.owner,)

    def ask(self, question: str, span: Span | None = None) -> list[tuple[Any, ...]]:
        """Ask with `{here}`: in the span, and of the owner."""
        span = span or self.scope.span
        here = f'("at" >= {span.since} and "at" < {span.until} and {self.own})'
        times = question.count("{here}")
        return self.source.all(question.replace("{here}", here), *self.given * times)

    def totals(self, span: Span) -> Totals:
        """The sums of a span."""
        ((sends, undecided),) = self.ask("select sum(sends), sum(undecided) from tallies where {here}", span)
        ((violations, sends_flagged, grave, opted, past, ignored),) = self.ask(
            "select count(*), count(distinct (source_partition, source_offset)), "
            "count(*) filter (severity in ('high', 'critical')), count(*) filter (rule = 'C5_AFTER_OPT_OUT'), "
            "count(*) filter (rule = 'C5_AFTER_OPT_OUT' and (evidence ->> '$.past_48_hours') = 'true'), "
            f"count(*) filter (rule = 'C9_OPT_OUT_IGNORED') from net where {STANDING} and {{here}}",
            span,
        )
        ((dismissed,),) = self.ask(
            f"select count(*) from net join decided on about_id = flag_id where {STANDING} and action = 'dismiss' "
            "and {here}",
            span,
        )
        ((complaints, about_codes),) = self.ask(
            "select sum(complaints), sum(complaints) filter (about_code) from complaints where {here}", span
        )
        ((refusals,),) = self.ask("select sum(refusals) from refusals where {here}", span)
        ((unheeded,),) = self.ask(
            "select count(distinct (evidence ->> '$.refusal', owner)) from net where rule = 'C5_AFTER_OPT_OUT' and "
            f"{STANDING} and (evidence ->> '$.by') = 'reply' and "
            f"(evidence ->> '$.refused_at')::bigint between {span.since} and {span.until - 1} and {{here}}",
            span,
        )
        ((late, cleared),) = self.ask(
            "select count(*) filter (status = 'raised' and because_id is not null), "
            "count(*) filter (status = 'cleared') from net where not shadow and {here}",
            span,
        )
        sums = (sends, undecided, complaints, about_codes, refusals)
        sends, undecided, complaints, about_codes, refusals = (int(each or 0) for each in sums)
        return Totals(
            sends=sends, undecided=undecided, violations=violations, sends_flagged=sends_flagged, grave=grave,
            unheeded=unheeded, dismissed=dismissed, complaints=complaints, about_codes=about_codes, refusals=refusals,
            after_opt_out=opted, past_48_hours=past, ignored=ignored, raised_late=late, cleared=cleared,
        )  # fmt: skip

    def rules(self, found: Numbers, compared: Span | None) -> None:
        """Line by line, the most violations first."""
        by_rule = f"select rule, count(*) from net where {STANDING} and {{here}} group by rule"
        before = dict(self.ask(by_rule, compared)) if compared is not None else {}
        clauses: dict[str, list[tuple[str, str, bool]]] = {}
        for rule, pack, clause, checked in self.ask(
            "select distinct rule, pack, clause, checked from net where {here} order by all"
        ):
            clauses.setdefault(rule, []).append((pack, clause, bool(checked)))
        lines = self.ask(
            f'select rule, arg_max(severity, "at"::varchar || flag_id), '
            f"count(*) filter ({STANDING}), "
            f"count(distinct owner) filter ({STANDING}), "
            "count(*) filter (status = 'raised' and because_id is not null), count(*) filter (status = 'cleared'), "
            f"count(*) filter (action = 'confirm' and {STANDING}), count(*) filter (action = 'dismiss' and {STANDING}) "
            "from net left join decided on about_id = flag_id where not shadow and {here} group by rule"
        )
        for rule, severity, violations, owners, late, cleared, confirmed, dismissed in lines:
            found.rules.append(
                RuleLine(
                    rule=rule, severity=severity, clauses=tuple(clauses.get(rule, ())), violations=violations,
                    before=None if compared is None else before.get(rule, 0), owners=owners, raised_late=late,
                    cleared=cleared, confirmed=confirmed, dismissed=dismissed,
                )
            )  # fmt: skip
        found.rules.sort(key=lambda line: (-line.violations, line.rule))

    def group(self, found: Numbers, family: str) -> None:
        """The subjects of a family with the most violations; their complaints, where these are told by family."""
        complained = family != "signature"
        of = f"select {family} as key, sum(complaints) as n from complaints where {{here}} group by {family}"
        lines = self.ask(
            f"with sent as (select {family} as key, sum(sends) as n from tallies where {{here}} group by {family}), "
            f"broke as (select {family} as key, count(*) as n from net where {STANDING} and {{here}} "
            f"group by {family}), "
            f"most as (select {family} as key, rule from net where {STANDING} and {{here}} group by {family}, rule "
            f"qualify row_number() over (partition by {family} order by count(*) desc, rule) = 1), "
            f"objected as ({of if complained else 'select null as key, 0 as n where false'}), "
            "every as (select key from sent union select key from broke union select key from objected) "
            "select every.key, owners.name, coalesce(sent.n, 0), coalesce(broke.n, 0), coalesce(objected.n, 0), "
            "most.rule from every "
            "left join sent on sent.key is not distinct from every.key "
            "left join broke on broke.key is not distinct from every.key "
            "left join objected on objected.key is not distinct from every.key "
            "left join most on most.key is not distinct from every.key "
            "left join owners on owners.id = every.key "
            "order by 4 desc, 5 desc, 3 desc, 1"
        )
        found.group_sizes[family] = len(lines)
        longest = len(lines) if family in {"province", "type"} else LONGEST
        found.groups[family] = [
            Group(key=key, name=name, sends=int(sends), violations=broken, complaints=int(objected), rule=rule)
            for key, name, sends, broken, objected, rule in lines[:longest]
        ]

    def days(self, found: Numbers) -> None:
        """Every day of the span, also those on which nothing was sent."""
        day = f'("at" + {8 * 3_600_000}) // 86400000'
        sends = dict(self.ask(f"select {day}, sum(sends) from tallies where {{here}} group by 1"))
        broken = dict(self.ask(f"select {day}, count(*) from net where {STANDING} and {{here}} group by 1"))
        objected = dict(self.ask(f"select {day}, sum(complaints) from complaints where {{here}} group by 1"))
        first = (self.scope.span.since + 8 * 3_600_000) // 86_400_000
        for number, name in enumerate(self.scope.span.days, first):
            counts = (int(each.get(number) or 0) for each in (sends, broken, objected))
            found.days.append(Day(**dict(zip(("sends", "violations", "complaints"), counts, strict=True)), day=name))

    def complaints_by_channel(self, found: Numbers) -> None:
        """The most complaints first."""
        lines = self.ask("select channel, sum(complaints) from complaints where {here} group by 1 order by 2 desc, 1")
        found.channels = [(channel, int(n)) for channel, n in lines]

    def coverage(self, found: Numbers) -> None:
        """What could not be decided, and why; what could not be judged at all."""
        found.unknown = {
            why: int(n)
            for why, n in self.ask(
                "select case when type is null then 'type' when owner is null then 'owner' else 'other' end, "
                "sum(undecided) from tallies where undecided <> 0 and {here} group by 1 order by 2 desc"
            )
        }
        sums = ", ".join(f"sum({name})" for name in COUNTED)
        lines = self.source.all(f"select topic, {sums} from books group by 1 order by 1")
        found.books = [(str(topic), dict(zip(COUNTED, map(_whole, counts), strict=True))) for topic, *counts in lines]
        ((first, last),) = self.source.all('select min("at"), max("at") from tallies')
        found.first_at, found.last_at = (None if each is None else _whole(each) for each in (first, last))

    def the_rest(self, found: Numbers) -> None:
        """Breaches, decisions, rules on trial, versions, and, of one owner, its flags."""
        span = self.scope.span
        names = ("breach_id", "rule", "status", "subject", "measures", "bound", "at", "closed_at")
        owner = "true" if self.scope.owner is None else "(subject ->> '$.owner') = ?"
        lines = self.source.all(
            f'select breach_id, rule, status, subject, measures, bound, "at", closed_at from breaches where {owner} '
            'qualify row_number() over (partition by breach_id order by "offset" desc) = 1 '
            f'and "at" < {span.until} and coalesce(closed_at, {span.until}) >= {span.since} order by "at", breach_id',
            *self.given,
        )
        found.breaches = [dict(zip(names, line, strict=True)) for line in lines]
        found.actions = dict(
            self.ask("select action, count(*) from decided join net on about_id = flag_id where {here} group by 1")
        )
        found.deeds = deeds(self.ask, [each["breach_id"] for each in found.breaches])
        found.shadow = [
            (rule, n)
            for rule, n in self.ask(
                "select rule, count(*) from net where status = 'raised' and shadow and {here} group by 1 order by 1"
            )
        ]
        found.versions = [
            (str(sendwatch), str(rules), str(config), _whole(first), _whole(last))
            for sendwatch, rules, config, first, last in self.ask(
                'select sendwatch, rules, config, min("at"), max("at") from flags where {here} '
                "group by 1, 2, 3 order by 4"
            )
        ]
        found.packs = [pack for (pack,) in self.ask("select distinct pack from net where {here} order by 1")]
        if self.scope.owner is not None:
            told = ("at", "rule", "severity", "send_id", "port", "signature", "reason_en", "reason_zh", "flag_id")
            lines = self.ask(f'select "at", {", ".join(told[1:])} from net where {STANDING} and {{here}} order by 1, 9')
            found.flags = [dict(zip(told, line, strict=True)) for line in lines]


def _whole(number: object) -> int:
    return int(number)  # type: ignore[call-overload, no-any-return]
