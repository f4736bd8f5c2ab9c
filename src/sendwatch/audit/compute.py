"""What the flags should be: every send of every recipient, from the records and the settings alone.

Belongs here: the order of the steps, for one partition and for all. Not here: the steps. Pure, single-threaded, and
nothing is remembered from one send to the next but how its text reads.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from msgspec import Struct, field

from sendwatch.audit.expected import Expected, Flagged
from sendwatch.audit.logs import RECIPIENT_KINDS, Log, read_log
from sendwatch.audit.messages import Submitted, put_together, without_repeats
from sendwatch.audit.recipients import (
    Heard,
    Known,
    Neighbours,
    acts_of,
    appraise,
    hear,
    keeping_of,
    lowest,
    verdict_on,
)
from sendwatch.audit.tables import Tables
from sendwatch.days import DAY
from sendwatch.events import REGISTRIES
from sendwatch.judge import flag_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sendwatch.audit.logs import Entry, Raw
    from sendwatch.audit.terms import Terms
    from sendwatch.verdict import Verdict

FOREVER = 1 << 62


class Span(NamedTuple):
    """The sends that are audited: those with `since` <= `t` < `until`."""

    since: int = -FOREVER
    until: int = FOREVER


class Recalled(Struct, frozen=True):
    """What opt-out records say of replies whose sends are not read: those received before `until`.

    `owners`: by offset of the reply.
    """

    until: int = -FOREVER
    owners: Mapping[int, tuple[str, ...]] = field(default_factory=dict)


def compute(inputs: Mapping[tuple[str, int], Sequence[Raw]], terms: Terms, span: Span | None = None) -> Expected:
    """What is expected of all partitions. `inputs`: records by topic kind and partition, in offset order."""
    logs = read_registries({kind: inputs.get((kind, 0), ()) for kind in sorted(REGISTRIES)}, terms)
    expected = refusals_of(logs)
    tables = tables_of(logs, terms)
    for number in sorted({number for kind, number in inputs if kind not in REGISTRIES}):
        own = {kind: inputs.get((kind, number), ()) for kind in RECIPIENT_KINDS}
        expected.add(compute_partition(number, own, tables, terms, span))
    return expected


def read_registries(records: Mapping[str, Iterable[Raw]], terms: Terms) -> dict[str, Log]:
    """The registries' records by topic kind, read."""
    return {kind: read_log(kind, 0, some, terms) for kind, some in records.items()}


def refusals_of(registries: Mapping[str, Log]) -> Expected:
    """What is expected of the registries alone: the records that are refused."""
    refused = {(kind, 0, offset): why for kind, log in registries.items() for offset, why in log.refused.items()}
    return Expected(refused=refused)


def tables_of(registries: Mapping[str, Log], terms: Terms, ends: Mapping[str, int] | None = None) -> Tables:
    """The registries, of each topic up to its offset in `ends` where that is given."""
    tables = Tables(terms.parameters.window)
    for kind, log in registries.items():
        for entry in log.entries:
            if ends is None or entry.offset < ends.get(kind, 0):
                tables.add(kind, entry)
    return tables


def compute_partition(
    number: int,
    records: Mapping[str, Iterable[Raw]],
    tables: Tables,
    terms: Terms,
    span: Span | None = None,
    recalled: Recalled | None = None,
) -> Expected:
    """What is expected of one partition, of its records by topic kind."""
    logs = {kind: read_log(kind, number, records.get(kind, ()), terms) for kind in RECIPIENT_KINDS}
    for kind in ("reports", "complaints"):
        logs[kind].what.update((entry.offset, "accepted") for entry in logs[kind].entries)
    one = _Partition(number, logs, tables, terms, span or Span(), recalled or Recalled())
    for recipient, theirs in sorted(_by_recipient(logs).items()):
        one.judge(recipient, theirs)
    one.expected.what = {(kind, number): log.what for kind, log in logs.items()}
    one.expected.refused = {
        (kind, number, offset): why for kind, log in logs.items() for offset, why in log.refused.items()
    }
    return one.expected


def _by_recipient(logs: Mapping[str, Log]) -> dict[str, dict[str, list[Any]]]:
    theirs: dict[str, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    event_time = 0
    for entry in logs["sends"].entries:
        event_time = max(event_time, entry.record.sent_at)
        submitted = Submitted(entry.offset, entry.arrived, event_time, entry.record)
        theirs[entry.record.recipient]["sends"].append(submitted)
    for kind in ("consents", "replies"):
        for entry in logs[kind].entries:
            theirs[entry.record.recipient][kind].append(entry)
    return theirs


class _Partition:
    def __init__(
        self,
        number: int,
        logs: Mapping[str, Log],
        tables: Tables,
        terms: Terms,
        span: Span,
        recalled: Recalled,
    ) -> None:
        self.number = number
        self.expected = Expected()
        self._logs = logs
        self._tables = tables
        self._terms = terms
        self._span = span
        self._recalled = recalled
        self._event_time = max((entry.record.sent_at for entry in logs["sends"].entries), default=0)

    def judge(self, recipient: str, records: Mapping[str, Sequence[Any]]) -> None:
        """Judge all of one recipient's messages."""
        terms, tables, window = self._terms, self._tables, self._terms.parameters.window
        messages = [appraise(each, tables, terms) for each in self._messages(records.get("sends", ()))]
        heard = [self._hear(entry, messages) for entry in lowest(records.get("replies", ()), self._logs["replies"])]
        consents = lowest(records.get("consents", ()), self._logs["consents"])
        acts = acts_of(consents, heard)
        replies = {each.reply.id: each for each in heard}
        self.expected.optouts |= {(self.number, each.offset): each.owners for each in heard if each.owners}
        neighbours = Neighbours(messages, window, max(terms.parameters.ask_again_after, DAY))
        last = {each.facts.id: each for each in sorted(messages, key=lambda each: each.message.offset)}
        for each in last.values():
            if self._span.since <= each.facts.at < self._span.until:
                self._note(recipient, each, verdict_on(each, acts, replies, neighbours, tables, terms))

    def _messages(self, submitted: Sequence[Submitted]) -> Iterable[Any]:
        log, terms = self._logs["sends"], self._terms
        judged = without_repeats(
            submitted,
            terms.parameters.window,
            lambda message: keeping_of(appraise(message, self._tables, terms), terms),
            log,
        )
        return put_together(judged, self._event_time, log)

    def _hear(self, entry: Entry, messages: Sequence[Known]) -> Heard:
        if entry.record.received_at < self._recalled.until:
            owners = self._recalled.owners.get(entry.offset, ())
            return Heard(entry.offset, entry.arrived, entry.record, bool(owners), owners, None)
        return hear(entry, messages, self._tables, self._terms.parameters.window)

    def _note(self, recipient: str, known: Known, verdict: Verdict) -> None:
        expected, pseudonyms = self.expected, self._terms.pseudonyms
        expected.sends += 1
        expected.undecided_sends += bool(verdict.undecided)
        expected.undecided.update((rule_id, why.reason) for rule_id, why in verdict.undecided.items())
        for flag in verdict.flags:
            name = flag_id(pseudonyms.key, pseudonyms.internal(recipient), known.facts.id, flag.rule.id)
            expected.flags[name] = Flagged(
                flag_id=name,
                rule=flag.rule.id,
                send_id=known.facts.id,
                at=known.facts.at,
                topic="canary" if known.facts.sp == self._terms.canary_sp else "flags",
                partition=self.number,
                offset=known.message.offset,
                evidence=msgspec.json.encode(flag.evidence, order="sorted"),
                pack=flag.pack,
                shadow=flag.shadow,
            )
