"""The ledger: one record per processed range of a partition, and the commit point of everything.

Belongs here: the shape of its records, which of them are void, and whether the ranges join. Not here:
appending and reading them (`engine/`).

    Claim   a worker takes the partition over; its epoch is greater than any before it
    Range   what was read, what became of each offset, the sums to be tallied, the rows to be kept

    A record of a lower epoch than a claim before it is void, as is a claim whose epoch is not greater, and a range
    whose number an earlier one of its epoch had: its append was taken for failed and tried again.
    Positions are those of the last valid Range: a new owner reads on from there and nowhere else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct, field

from sendwatch.dossier import Kept  # noqa: TC001 - part of the record, needed at run time
from sendwatch.parts import Long  # noqa: TC001 - as above
from sendwatch.windows.aftermath import CaseRow  # noqa: TC001 - as above
from sendwatch.windows.sums import Sums

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

KINDS = ("judged", "accepted", "duplicates", "parts", "quarantined", "absent")


class Version(Struct, frozen=True):
    """By what a range was judged: the program, its rules, the configuration (hashes of both)."""

    sendwatch: str
    rules: str
    config: str


class Books(Struct):
    """What became of the offsets of one topic in a range: each offset is exactly one of the first six.

    `judged` sends (a long message is judged once, its other parts are `parts`), `accepted` facts,
    `duplicates`, `quarantined` records, `absent` offsets (compacted, or markers). `ignored` counts bad
    optional fields by name.
    """

    judged: int = 0
    accepted: int = 0
    duplicates: int = 0
    parts: int = 0
    quarantined: int = 0
    absent: int = 0
    ignored: dict[str, int] = field(default_factory=dict)

    @property
    def offsets(self) -> int:
        """How many offsets are accounted for."""
        return self.judged + self.accepted + self.duplicates + self.parts + self.quarantined + self.absent

    def add(self, other: Books) -> None:
        """Add the books of another range."""
        for kind in KINDS:
            setattr(self, kind, getattr(self, kind) + getattr(other, kind))
        for name, count in other.ignored.items():
            self.ignored[name] = self.ignored.get(name, 0) + count


class Span(Struct, array_like=True):
    """The offsets of one source topic in a range: [first, next)."""

    first: int
    next: int
    books: Books


class Tally(Struct, array_like=True):
    """Mergeable sums of one minute of one (carrier, province, sp, port, owner, signature, type).

    `minute` is of the time that counts, in minutes since 1970 UTC; `corrections` by `rule+` and `rule-`.
    """

    minute: int
    carrier: str | None
    province: str | None
    sp: str
    port: str
    owner: str | None
    signature: str | None
    type: str | None
    sends: int = 0
    judged: int = 0
    undecided: int = 0
    flags: dict[str, int] = field(default_factory=dict)
    corrections: dict[str, int] = field(default_factory=dict)


class Row(Struct, array_like=True):
    """A kept send as it stands after the range; the last row of a (recipient, id) holds."""

    recipient: bytes
    kept: Kept


class LongRow(Struct, array_like=True):
    """The parts of a recipient's long messages of one key as they stand after the range; the last holds."""

    recipient: bytes
    long: Long


class Claim(Struct, tag="claim", tag_field="record"):
    """A worker takes the partition over."""

    epoch: int
    worker: str
    at: int
    version: Version


class Range(Struct, tag="range", tag_field="record"):
    """One processed range of a partition. `event_time` is the greatest `sent_at` seen on the partition.

    `registries`: how far the registries were read and what they changed was looked back for. `lanes` and `templates`:
    the distinct (signature, port, SP) and the named templates of its sends, the latest of which counts at `until`.
    `sums`: what the windows add up beside the tallies; `cases`: what is kept of complainants.
    `number` counts an epoch's ranges from 1 (0: not counted). `given_up`: by topic, below which offset an operator
    accepted that records are gone that were to be read, and the `reason`, in the operator's words. `told`: below which
    offset of replies it is published what they were resolved to. `by`: how far the registries were read by which its
    sends were judged, or those of the offsets `again` in `sends`, which were read again because a registry changed.
    `entered`: rows of sends that are kept no more, before their flags are corrected.
    """

    epoch: int
    version: Version
    at: int
    event_time: int
    spans: dict[str, Span]
    registries: dict[str, int]
    flags_next: int
    tallies: list[Tally] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    longs: list[LongRow] = field(default_factory=list)
    cases: list[CaseRow] = field(default_factory=list)
    sums: Sums = field(default_factory=Sums)
    lanes: list[tuple[str | None, str, str]] = field(default_factory=list)
    templates: list[str] = field(default_factory=list)
    until: int = 0
    number: int = 0
    given_up: dict[str, int] = field(default_factory=dict)
    reason: str = ""
    told: int = -1
    by: dict[str, int] = field(default_factory=dict)
    again: tuple[int, int] | None = None
    entered: list[Row] = field(default_factory=list)


Record = Claim | Range
encode = msgspec.json.Encoder().encode
decode: msgspec.json.Decoder[Record] = msgspec.json.Decoder(Record)


class Standing(Struct):
    """Where a partition's ledger stands after the records read so far."""

    epoch: int = 0
    positions: dict[str, int] = field(default_factory=dict)
    registries: dict[str, int] = field(default_factory=dict)
    flags_next: int = 0
    event_time: int = 0
    number: int = 0
    given_up: dict[str, int] = field(default_factory=dict)
    told: int = 0

    def accept(self, record: Record) -> bool:
        """Take the next record of the ledger; False where it is void and must not be applied."""
        if isinstance(record, Claim):
            if record.epoch <= self.epoch:
                return False
            self.epoch, self.number = record.epoch, 0
            return True
        if record.epoch < self.epoch or (record.epoch == self.epoch and 0 < record.number <= self.number):
            return False
        if record.epoch > self.epoch:  # its claim lay in a beginning that has expired
            self.epoch, self.number = record.epoch, 0
        self.number = record.number or self.number
        for topic, span in record.spans.items():
            self.positions[topic] = span.next
        self.registries = dict(record.registries)
        self.flags_next = record.flags_next
        self.event_time = max(self.event_time, record.event_time)
        self.given_up |= record.given_up
        if record.told >= 0:
            self.told = record.told
        return True


class Gap(Struct, frozen=True):
    """A place where the books do not add up: offsets [`at`, `until`) of `topic`, and what is wrong there."""

    topic: str
    at: int
    until: int
    wrong: str


class GivenUp(Struct, frozen=True):
    """Offsets of `topic` below `until` that an operator accepted as gone, at a time in ms, and why."""

    topic: str
    until: int
    at: int
    reason: str


def audit(records: Iterable[Record], *, whole: bool = True) -> tuple[Standing, dict[str, Span], list[Gap], int]:
    """Fold one partition's ledger from its beginning: does every range join the one before?

    `whole`: its first record is the first that was ever written, so that every topic begins at offset 0; otherwise
    retention has taken the beginning, and a topic may begin anywhere. Returns where it stands, one span per topic
    from the first to the last offset with its summed books, the gaps, and how many records were void.
    """
    standing, spans, gaps, void = Standing(), dict[str, Span](), list[Gap](), 0
    for record in records:
        if not standing.accept(record):
            void += 1
            continue
        if isinstance(record, Range):
            for topic, span in record.spans.items():
                begun = spans.setdefault(topic, Span(0 if whole else span.first, 0 if whole else span.first, Books()))
                gaps += _check(topic, span, begun.next)
                begun.next = span.next
                begun.books.add(span.books)
    return standing, spans, gaps, void


def given_up(records: Iterable[Record]) -> list[GivenUp]:
    """What operators have accepted as gone, by the records that stand."""
    standing = Standing()
    ranges = [record for record in records if standing.accept(record) and isinstance(record, Range)]
    return [GivenUp(topic, until, each.at, each.reason) for each in ranges for topic, until in each.given_up.items()]


def _check(topic: str, span: Span, expected: int) -> Iterator[Gap]:
    if span.first > expected:
        yield Gap(topic, expected, span.first, "no range accounts for these offsets")
    if span.first < expected:
        yield Gap(topic, span.first, expected, "two ranges account for these offsets")
    if span.books.offsets != span.next - span.first:
        yield Gap(topic, span.first, span.next, f"{span.books.offsets} offsets are accounted for")
