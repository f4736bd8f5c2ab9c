"""Tallies as they come, added up by what is asked of them, before they go into the tables.

Belongs here: three small sums that say of a tally all that the tables hold of it. Not here: the tables (`board.py`).

    senders   per minute, owner, signature, port, SP           few: one for each way of sending
    places    per minute, carrier, province, type              few: some hundred
    lanes     per hour, signature, port, SP, type, province    many: but one number each
    pairs     per hour, owner, port

A tally costs these four, whatever the number of tables: where each went into nineteen rows of tables on its own, one
core folded a third as many (`tests/bench/fold_speed.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sendwatch.ledger import Tally
    from sendwatch.windows.lines import Subject

Counts: TypeAlias = list[int]  # sends, undecided, flagged
MINUTES_AN_HOUR = 60
SENDER, PLACE = ("owner", "signature", "port", "sp"), ("carrier", "province", "type")


class Minute:
    """What there is of one minute; `lanes` and `pairs` are those of its hour."""

    __slots__ = ("lanes", "pairs", "places", "senders")

    def __init__(self, lanes: dict[Subject, int], pairs: dict[Subject, int]) -> None:
        """Nothing yet."""
        self.senders: dict[Subject, Counts] = {}
        self.places: dict[Subject, Counts] = {}
        self.lanes = lanes
        self.pairs = pairs


class Pile:
    """Sums of tallies that are in no table yet."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.minutes: dict[int, Minute] = {}
        self.lanes: dict[int, dict[Subject, int]] = {}
        self.pairs: dict[int, dict[Subject, int]] = {}

    def __len__(self) -> int:
        """How many lanes wait, which are the most of it."""
        return sum(map(len, self.lanes.values()))

    def __bool__(self) -> bool:
        """Whether anything waits."""
        return bool(self.minutes)

    def add(self, tallies: Sequence[Tally]) -> None:
        """Add them up."""
        minutes = self.minutes
        for tally in tallies:
            minute = minutes.get(tally.minute) or self._begin(tally.minute)
            owner, signature, port, sp = tally.owner, tally.signature, tally.port, tally.sp
            province, kind, sends, undecided = tally.province, tally.type, tally.sends, tally.undecided
            flagged = flagged_by(tally) if tally.flags or tally.corrections else 0
            who, where = (owner, signature, port, sp), (tally.carrier, province, kind)
            counts = minute.senders.get(who)
            if counts is None:
                minute.senders[who] = [sends, undecided, flagged]
            else:
                _add(counts, sends, undecided, flagged)
            counts = minute.places.get(where)
            if counts is None:
                minute.places[where] = [sends, undecided, flagged]
            else:
                _add(counts, sends, undecided, flagged)
            if sends:
                lane, pair = (signature, port, sp, kind, province), (owner, port)
                minute.lanes[lane] = minute.lanes.get(lane, 0) + sends
                minute.pairs[pair] = minute.pairs.get(pair, 0) + sends

    def put(self, number: int, senders: Mapping[Subject, Counts], places: Mapping[Subject, Counts]) -> None:
        """Add the sums of one minute; pairs follow from its senders, lanes do not."""
        minute = self.minutes.get(number) or self._begin(number)
        for who, counts in senders.items():
            _add_to(minute.senders, who, counts)
            if counts[0]:
                pair = (who[0], who[2])
                minute.pairs[pair] = minute.pairs.get(pair, 0) + counts[0]
        for where, counts in places.items():
            _add_to(minute.places, where, counts)

    def merge(self, other: Pile) -> None:
        """Add what another holds."""
        for number, theirs in other.minutes.items():
            self.put(number, theirs.senders, theirs.places)
        for hour, more in other.lanes.items():
            lanes = self.lanes.setdefault(hour, {})
            for lane, sends in more.items():
                lanes[lane] = lanes.get(lane, 0) + sends

    def _begin(self, number: int) -> Minute:
        hour = number // MINUTES_AN_HOUR
        minute = self.minutes[number] = Minute(self.lanes.setdefault(hour, {}), self.pairs.setdefault(hour, {}))
        return minute

    def families(self) -> dict[str, dict[int, dict[Subject, Counts]]]:
        """The sums of each family by minute and subject."""
        found: dict[str, dict[int, dict[Subject, Counts]]] = {}
        for number, minute in self.minutes.items():
            for names, sums in ((SENDER, minute.senders), (PLACE, minute.places)):
                for place, family in enumerate(names):
                    theirs = found.setdefault(family, {})[number] = {}
                    for fields, counts in sums.items():
                        _add_to(theirs, (fields[place],), counts)
            whole = (sum(some) for some in zip(*minute.places.values(), strict=True))
            found.setdefault("all", {})[number] = {(): list(whole)}
        return found

    def take_pair(self, pair: Subject) -> list[tuple[int, int]]:
        """Hour and sends of a pair, which the pile forgets."""
        return [(hour, pairs.pop(pair)) for hour, pairs in self.pairs.items() if pair in pairs]


def flagged_by(tally: Tally) -> int:
    """Flags that were raised, less those that a correction cleared."""
    signed = sum(count if name[-1] == "+" else -count for name, count in tally.corrections.items())
    return sum(tally.flags.values()) + signed


def by_hour(minutes: Mapping[int, Mapping[Subject, Counts]]) -> dict[int, dict[Subject, Counts]]:
    """Sums by hour and subject, of sums by minute and subject."""
    found: dict[int, dict[Subject, Counts]] = {}
    for number, sums in minutes.items():
        hour = found.setdefault(number // MINUTES_AN_HOUR, {})
        for subject, counts in sums.items():
            _add_to(hour, subject, counts)
    return found


def _add_to(sums: dict[Subject, Counts], subject: Subject, more: Counts) -> None:
    counts = sums.get(subject)
    if counts is None:
        sums[subject] = list(more)
    else:
        _add(counts, *more)


def _add(counts: Counts, sends: int, undecided: int, flagged: int) -> None:
    counts[0] += sends
    counts[1] += undecided
    counts[2] += flagged
