"""One fold over ledger records: what was counted, by whom and when, and which breaches are open.

Belongs here: adding a record's sums to the tables, and asking the windowed rules about whatever they touch. Not here:
reading the ledger topic and storing (`aggregator/`), questions about what was counted (`vane.py`, `drift.py`,
`readiness.py`, `asked.py`).

    time      the greatest time of a send, complaint or report of a record, but never after the wall clock at which the
              record was written: one send from the future moves nothing
    windows   10 min and 1 h over minutes; 1 d, 10 d, 30 d over clock hours, the current one included
    bounded   every table holds so many subjects and buckets; what there is no room for is added up as others

Each record is folded once: its ledger partition's standing tells void ones, and is kept beside what they add up to.
Sums can be added in any order, so partitions need not be read in step; only opening and closing turn on time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from sendwatch.windows import b3_complaint_rate as b3
from sendwatch.windows.limits import HOUR, Limits
from sendwatch.windows.lines import Subject, Table
from sendwatch.windows.outbreaks import Outbreaks
from sendwatch.windows.pile import Pile, by_hour
from sendwatch.windows.rollup import moment_of, signed
from sendwatch.windows.top import Top

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from sendwatch.ledger import Range, Tally
    from sendwatch.windows.breach import Breach, Measure
    from sendwatch.windows.rollup import Rollup
    from sendwatch.windows.sums import Complained, Reported, Sums

MINUTE = 60_000
HOURS_A_DAY = 24
MINUTES_KEPT, HOURS_KEPT = 120, 30 * HOURS_A_DAY
LANE_HOURS = 8 * HOURS_A_DAY
"""Hours of a lane that are told apart: drift holds the last day against the week before it. There may be 500,000."""
FAMILIES = ("all", "owner", "signature", "port", "sp", "carrier", "province", "type")
COUNTS = ("sends", "undecided", "flagged")
MOST_WAITING = 500_000
"""Lanes that may wait to be added up; some 120 MB."""

WINDOWS = {"10m": (MINUTE, 10), "1h": (MINUTE, 60), "1d": (HOUR, 24), "10d": (HOUR, 240), "30d": (HOUR, 720)}
"""The sliding windows: width of a bucket (ms), number of buckets."""


class Room(Struct, frozen=True):
    """How many subjects are told apart, at most: of each family, of pairs and tuples, of texts, in a top list."""

    subjects: int = 200_000
    pairs: int = 500_000
    texts: int = 200_000
    top: int = 500


def nobody(_signature: str, _t: int) -> str | None:
    """No registry is at hand: no signature imitates any."""
    return None


class Board:
    """Everything that was counted lately.

    `imitated` gives the filed name that an unfiled signature looks like at a time, or None.
    """

    def __init__(
        self, limits: Limits, imitated: Callable[[str, int], str | None] = nobody, room: Room | None = None
    ) -> None:
        """Start with nothing."""
        self.room = room = room or Room()
        self.limits = limits
        self.imitated = imitated
        self.now = 0
        self._forgot_at = 0
        self._pile = Pile()
        self._minutes = {family: Table(MINUTE, MINUTES_KEPT, room.subjects) for family in FAMILIES}
        self._hours = {family: Table(HOUR, HOURS_KEPT, room.subjects) for family in FAMILIES}
        self._pairs = Table(HOUR, HOURS_KEPT, room.pairs)
        self._lanes = Table(HOUR, HOURS_KEPT, room.pairs, LANE_HOURS)
        self.rules = Table(HOUR, HOURS_KEPT, room.subjects)
        self.channels = Table(HOUR, HOURS_KEPT, room.subjects)
        self.harvest = Table(HOUR, HOURS_KEPT, room.pairs)
        self.imitators = Table(HOUR, HOURS_KEPT, room.subjects)
        self.tops: dict[int, Top] = {}
        self.unsaved_tops: set[int] = set()
        self.unmatched = self.copies_left_out = 0
        self.outbreaks = Outbreaks(self, room.texts)

    # -- folding ------------------------------------------------------------------------------------------------

    def fold(self, record: Range) -> None:
        """Add a record that stands (`Standing.accept` said so)."""
        self._go_on_to(moment_of(record))
        self._pile.add(record.tallies)
        self._add_at_once(record.tallies)
        self._add_sums(record.sums)

    def fold_rollup(self, rollup: Rollup) -> None:
        """Add records that stand, and were added up already."""
        self._go_on_to(rollup.now)
        self._pile.merge(rollup.pile)
        for hour, row in rollup.rules.items():
            self.rules.add_all("flags", hour * HOUR, row, self.now)
        for hour, raised in rollup.raised.items():
            for subject, count in raised.items():
                self._add_raised(hour, subject, count)
        self._add_names(
            ((signature, number), counts[0])
            for number, minute in rollup.pile.minutes.items()
            for (_, signature, *_), counts in minute.senders.items()
        )
        self._add_sums(rollup.sums)

    def _go_on_to(self, moment: int) -> None:
        now = max(self.now, moment)
        if now // HOUR != self.now // HOUR or len(self._pile) > MOST_WAITING:
            self.add_up()  # while what it holds is still of the hours that are kept
        self.now = now

    def settle(self) -> list[Breach]:
        """The breaches that open or close by what was folded since."""
        if self.now // HOUR != self._forgot_at:
            self._forgot_at = self.now // HOUR
            self._forget()
        return self.outbreaks.settle(self.now)

    def add_up(self) -> None:
        """Take into the tables what waits; whoever asks for one of those has it done."""
        if not self._pile:
            return
        pile, self._pile = self._pile, Pile()
        for family, minutes in pile.families().items():
            for minute, sums in minutes.items():
                if self._minutes[family].recent(minute * MINUTE, self.now):
                    self._add_counts(self._minutes[family], minute * MINUTE, sums)
            for hour, sums in by_hour(minutes).items():
                self._add_counts(self._hours[family], hour * HOUR, sums)
        for table, hours in ((self._pairs, pile.pairs), (self._lanes, pile.lanes)):
            for hour, sends in hours.items():
                table.add_all("sends", hour * HOUR, sends, self.now)

    def _add_counts(self, table: Table, at: int, sums: Mapping[Subject, Sequence[int]]) -> None:
        for place, name in enumerate(COUNTS):
            told = {subject: counts[place] for subject, counts in sums.items() if counts[place]}
            table.add_all(name, at, told, self.now)

    def _add_at_once(self, tallies: Sequence[Tally]) -> None:
        """What turns on the order of records, or on the registry as it is now: top lists, and names that look alike."""
        for tally in tallies:
            if tally.flags or tally.corrections:
                self._add_rules(tally)
        self._add_names(((tally.signature, tally.minute), tally.sends) for tally in tallies)

    def _add_names(self, sent: Iterable[tuple[tuple[str | None, int], int]]) -> None:
        """Sends by signature and minute: those of a name that looks like a filed one are counted for it."""
        names: dict[tuple[str, int], int] = {}
        for (signature, minute), sends in sent:
            if sends and signature is not None:
                names[signature, minute] = names.get((signature, minute), 0) + sends
        for (signature, minute), sends in names.items():
            filed = self.imitated(signature, minute * MINUTE)
            if filed is not None:
                subject = (signature, filed)
                self.imitators.add(subject, "sends", minute * MINUTE, sends, self.now)
                self.outbreaks.touch_imitator(subject, minute * MINUTE // HOUR)

    def _add_rules(self, tally: Tally) -> None:
        at = tally.minute * MINUTE
        for rule, count in signed(tally):
            self.rules.add((rule, tally.owner), "flags", at, count, self.now)
        raised = sum(tally.flags.values())
        if raised:
            self._add_raised(at // HOUR, (tally.signature, tally.port), raised)

    def _add_raised(self, hour: int, subject: Subject, raised: int) -> None:
        if hour > self.now // HOUR - HOURS_KEPT:
            self.tops.setdefault(hour, Top(self.room.top)).add(subject, raised)
            self.unsaved_tops.add(hour)

    def _add_complaints(self, each: Complained, count: int) -> None:
        at, now = each.hour * HOUR, self.now
        self.channels.add((each.channel, each.type), "complaints", at, count, now)
        for family, subject in subjects_of(each).items():
            self._hours[family].add(subject, "complaints", at, count, now)
        if not each.about_code:
            self._pairs.add((each.owner, each.port), "complaints", at, count, now)
            self.outbreaks.touch_pair((each.owner, each.port))

    def _add_sums(self, sums: Sums) -> None:
        for complained, count in sums.complained:
            self._add_complaints(complained, count)
        for reported in sums.reported:
            self._add_reports(reported)
        for hit in sums.hits:
            self.harvest.add((hit.sp, hit.port), "honeypots", hit.hour * HOUR, hit.count, self.now)
            self.outbreaks.touch_lane((hit.sp, hit.port), hit.hour)
        for copied in sums.copied:
            self.outbreaks.copied(copied)
        for blocked in sums.blocked:
            self.outbreaks.blocked(blocked)
        for hour, owner, count in sums.refused:
            self._hours["owner"].add((owner,), "refusals", hour * HOUR, count, self.now)
            self._hours["all"].add((), "refusals", hour * HOUR, count, self.now)
        self.unmatched += sums.unmatched
        self.copies_left_out += sums.copies_left_out

    def _add_reports(self, reported: Reported) -> None:
        lane: Subject = (reported.sp, reported.port)
        at = reported.hour * HOUR
        for name, count in (("delivered", reported.delivered), ("undelivered", reported.undelivered)):
            if count:
                self.harvest.add(lane, name, at, count, self.now)
        self.outbreaks.touch_lane(lane, reported.hour)

    def _forget(self) -> None:
        """Once an hour; the tables of hours in turn, each once a day: sums leave out what is too old anyway."""
        turn = self.now // HOUR % HOURS_A_DAY
        for number, table in enumerate(self.tables().values()):
            if table.width == MINUTE or number % HOURS_A_DAY == turn:
                table.forget(self.now)
        for hour in [hour for hour in self.tops if hour <= self.now // HOUR - HOURS_KEPT]:
            del self.tops[hour]
            self.unsaved_tops.add(hour)
        self.outbreaks.forget(self.now)

    # -- keeping ------------------------------------------------------------------------------------------------

    @property
    def minutes(self) -> dict[str, Table]:
        """Counts by minute, of each family."""
        self.add_up()
        return self._minutes

    @property
    def hours(self) -> dict[str, Table]:
        """Counts by clock hour, of each family."""
        self.add_up()
        return self._hours

    @property
    def pairs(self) -> Table:
        """Sends and complaints by (owner, port)."""
        self.add_up()
        return self._pairs

    @property
    def lanes(self) -> Table:
        """Sends by (signature, port, SP, type, province)."""
        self.add_up()
        return self._lanes

    def tables(self) -> dict[str, Table]:
        """Every table by the name under which it is stored."""
        return {
            **{f"m.{family}": table for family, table in self.minutes.items()},
            **{f"h.{family}": table for family, table in self.hours.items()},
            "pairs": self.pairs,
            "lanes": self.lanes,
            "rules": self.rules,
            "channels": self.channels,
            "harvest": self.harvest,
            "imitators": self.imitators,
        }

    def complained_of(self, pair: Subject) -> bool:
        """Whether there are complaints about an (owner, port)."""
        return "complaints" in self._pairs.rows.get(pair, ())

    def pairs_complained_of(self) -> list[Subject]:
        """The (owner, port) of which there are complaints."""
        return [subject for subject, row in self._pairs.rows.items() if "complaints" in row]

    def measure_pair(self, pair: Subject) -> Measure:
        """What B3 measures now; of what waits to be added up only this pair is."""
        for hour, sends in self._pile.take_pair(pair):
            self._pairs.add(pair, "sends", hour * HOUR, sends, self.now)
        return b3.measure(self._pairs, pair, self.now, self.limits)


def subjects_of(named: Complained) -> dict[str, Subject]:
    """The subject of each family, but for the signature."""
    return {
        "all": (),
        "owner": (named.owner,),
        "port": (named.port,),
        "sp": (named.sp,),
        "carrier": (named.carrier,),
        "province": (named.province,),
        "type": (named.type,),
    }
