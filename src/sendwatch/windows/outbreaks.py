"""Which breaches are open, and asking the windowed rules again about whatever a fold has touched.

Belongs here: what each rule is asked about and when, copies of texts (B5) and cut-off complainants (B6), which are
counted nowhere else. Not here: what a rule says (`b3` … `b6`), when an open breach closes (`breach.py`).

B3 is asked of a pair when complaints come, and of all pairs with complaints once an hour, since sends leave the window
too; not when sends come: more of them only lower a rate. B4 and B5 are about a clock hour: asked of every hour that was
touched, late ones too, and while a breach is open of the current hour and the one before. B6 is asked when the worker
tells anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sendwatch.windows import b3_complaint_rate, b4_harvest, b5_evasion, b6_retaliation
from sendwatch.windows.b5_evasion import Copies
from sendwatch.windows.breach import Breach, Measure, opened, went_on
from sendwatch.windows.limits import HOUR

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sendwatch.windows.board import Board
    from sendwatch.windows.breach import Named
    from sendwatch.windows.lines import Subject
    from sendwatch.windows.sums import Blocked, Copied

B3, B4 = b3_complaint_rate.RULE.id, b4_harvest.RULE.id
B5, B6 = b5_evasion.RULE.id, b6_retaliation.RULE.id
RULES = (b3_complaint_rate.RULE, b4_harvest.RULE, b5_evasion.RULE, b6_retaliation.RULE)
LATELY = 30 * 24
Key = tuple[str, tuple[str, ...], tuple[str | None, ...]]


class Outbreaks:
    """The breaches of a board. `texts`: how many copied texts are told apart, each by its hour."""

    def __init__(self, board: Board, texts: int) -> None:
        """None is open."""
        self._board = board
        self._texts = texts
        self.open: dict[Key, Breach] = {}
        self.last: dict[Key, int] = {}
        self.copies: dict[tuple[int, str], Copies] = {}
        self.cut_off: dict[tuple[str, str], Blocked] = {}
        self.left_out = 0
        self.unsaved: set[tuple[int, str]] = set()
        self._pairs: set[Subject] = set()
        self._lanes: set[tuple[Subject, int]] = set()
        self._names: set[tuple[Subject, int]] = set()
        self._copied: set[tuple[int, str]] = set()
        self._told: set[tuple[str, str]] = set()

    # -- what was touched ---------------------------------------------------------------------------------------

    def touch_pair(self, pair: Subject) -> None:
        """Something of an (owner, port) was counted."""
        self._pairs.add(pair)

    def touch_lane(self, lane: Subject, hour: int) -> None:
        """Something of an (SP, port) was counted in an hour."""
        self._lanes.add((lane, hour))

    def touch_imitator(self, names: Subject, hour: int) -> None:
        """Sends of an unfiled signature that looks like a filed one were counted in an hour."""
        self._names.add((names, hour))

    def copied(self, copied: Copied) -> None:
        """Copies of a text; the least spread texts give way where there are too many."""
        key = (copied.hour, copied.fingerprint)
        if copied.hour <= self._board.now // HOUR - LATELY:
            return
        copies = self.copies.get(key)
        if copies is None:
            if len(self.copies) >= self._texts:
                self._make_room()
            copies = self.copies[key] = Copies()
        copies.add(copied.signature, copied.port, copied.count)
        self._copied.add(key)
        self.unsaved.add(key)

    def blocked(self, blocked: Blocked) -> None:
        """How a complainant is cut off from an owner now."""
        key = (blocked.recipient, blocked.owner)
        if blocked.run:
            self.cut_off[key] = blocked
        else:
            self.cut_off.pop(key, None)
        self._told.add(key)

    # -- asking -------------------------------------------------------------------------------------------------

    def settle(self, now: int) -> list[Breach]:
        """The breaches that open or close; what was touched is forgotten."""
        changed: list[Breach] = []
        for key, measure in self._measured(now):
            if key not in self.open and measure.broken and self.last.get(key, -1) < measure.hour:
                changed.append(self._open(key, measure, now))
        for key in list(self.open):
            breach = self.open[key]
            if went_on(breach, self._measure_again(key, now), now, self._board.limits):
                del self.open[key]
                self.last[key] = (breach.window["until"] - 1) // HOUR
                changed.append(breach)
        for touched in (self._pairs, self._lanes, self._names, self._copied, self._told):
            touched.clear()
        return changed

    def _open(self, key: Key, measure: Measure, now: int) -> Breach:
        rule, fields, subject = key
        named: Named = dict(zip(fields, subject, strict=True))
        breach = self.open[key] = opened(rule, named, measure, now)
        return breach

    def _measured(self, now: int) -> Iterator[tuple[Key, Measure]]:
        board, limits = self._board, self._board.limits
        for pair in self._pairs:
            if board.complained_of(pair):
                yield (B3, ("owner", "port"), pair), board.measure_pair(pair)
        for lane, hour in sorted(self._lanes, key=_hour):
            yield (B4, ("sp", "port"), lane), b4_harvest.measure(board.harvest, lane, hour, limits)
        for hour, text in sorted(self._copied):
            copies = self.copies.get((hour, text))
            if copies is not None:
                yield (B5, ("fingerprint",), (text,)), b5_evasion.measure(copies, hour, limits)
        for names, hour in sorted(self._names, key=_hour):
            yield (B5, ("signature",), names[:1]), self._measure_name(names, hour)
        for told in self._told & self.cut_off.keys():
            measure = b6_retaliation.measure(self.cut_off[told], now, limits)
            if measure is not None:
                yield (B6, ("recipient", "owner"), told), measure

    def _measure_again(self, key: Key, now: int) -> Measure | None:
        """What an open breach's rule measures now."""
        rule, fields, subject = key
        board, hour = self._board, now // HOUR
        if rule == B3:
            return board.measure_pair(subject)
        if rule == B6:
            blocked = self.cut_off.get((str(subject[0]), str(subject[1])))
            return None if blocked is None else b6_retaliation.measure(blocked, now, board.limits)
        if rule == B4:
            return _greater(b4_harvest.measure(board.harvest, subject, each, board.limits) for each in (hour - 1, hour))
        if fields == ("fingerprint",):
            lately = [(each, self.copies.get((each, str(subject[0])))) for each in (hour - 1, hour)]
            return _greater(b5_evasion.measure(c, each, board.limits) for each, c in lately if c is not None)
        names = [each for each in board.imitators.rows if each[0] == subject[0]]
        return _greater(self._measure_name(each, when) for each in names for when in (hour - 1, hour))

    def _measure_name(self, names: Subject, hour: int) -> Measure:
        sends = self._board.imitators.sum(names, "sends", hour * HOUR, 1)
        return b5_evasion.measure_alike(sends, str(names[1]), hour)

    def by_rule(self) -> dict[str, int]:
        """How many breaches of each rule are open."""
        return {rule.id: sum(key[0] == rule.id for key in self.open) for rule in RULES}

    # -- room ---------------------------------------------------------------------------------------------------

    def ask_all_pairs(self) -> None:
        """Have B3 asked of every pair with complaints."""
        self._pairs.update(self._board.pairs_complained_of())

    def forget(self, now: int) -> None:
        """Drop what no window reaches any more."""
        oldest = now // HOUR - LATELY
        for key in [key for key in self.copies if key[0] <= oldest]:
            del self.copies[key]
            self.unsaved.add(key)
        self.cut_off = {key: blocked for key, blocked in self.cut_off.items() if blocked.until > now}
        self.last = {key: hour for key, hour in self.last.items() if hour > now // HOUR - 30 * 24}
        self.ask_all_pairs()

    def _make_room(self) -> None:
        """Let the less spread half of the texts go, old ones first: many copies under one name break nothing."""
        texts = sorted(self.copies, key=lambda key: (self.copies[key].spread, key))
        for key in texts[: len(texts) // 2 + 1]:
            self.left_out += self.copies.pop(key).sends
            self.unsaved.add(key)

    def restore(self, copies: dict[tuple[int, str], Copies]) -> None:
        """Take up copies that were stored."""
        self.copies.update(copies)


def _hour(touched: tuple[Subject, int]) -> tuple[int, str]:
    return touched[1], repr(touched[0])


def _greater(measures: Iterable[Measure]) -> Measure | None:
    """The measure of the greatest level; of equals the later."""
    return max(measures, key=lambda measure: (measure.level, measure.until), default=None)
