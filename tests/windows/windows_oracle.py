"""Breaches by brute force: every sum ever told is kept, and all are added up anew each time.

Written from the contract's table (§4), apart from `sendwatch.windows`: it shares the shapes of the records, the id's
recipe and the numbers of the limits, nothing else. Hours are clock hours; a rule about an hour looks at every hour of
the last 30 days, since reports and copies come late.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from functools import cache
from math import exp, factorial
from typing import TYPE_CHECKING, Any

from sendwatch.windows.breach import breach_id

if TYPE_CHECKING:
    from sendwatch.ledger import Range
    from sendwatch.windows.limits import Limits

HOUR, MINUTE, DAY = 3_600_000, 60_000, 86_400_000
FIELDS = {"B3": ("owner", "port"), "B4": ("sp", "port"), "B5": ("fingerprint",), "B6": ("recipient", "owner")}
IDS = {"B3": "B3_COMPLAINT_RATE", "B4": "B4_HARVEST", "B5": "B5_EVASION", "B6": "B6_RETALIATION"}
Answer = tuple[bool, float, int]


@cache
def bound(count: int) -> float:
    """The mean at which `count` or more are seen one time in twenty."""
    low, high = 0.0, float(count)
    for _ in range(80):
        middle = (low + high) / 2
        fewer = sum(exp(-middle) * middle**k / factorial(k) for k in range(count))
        low, high = (middle, high) if 1 - fewer < 0.05 else (low, middle)
    return low


class Oracle:
    """Folds records as they come."""

    def __init__(self, limits: Limits) -> None:
        """Nothing yet."""
        self.limits = limits
        self.now = 0
        self.sends: Counter[tuple[Any, ...]] = Counter()
        self.complaints: Counter[tuple[Any, ...]] = Counter()
        self.reports: Counter[tuple[Any, ...]] = Counter()
        self.hits: Counter[tuple[Any, ...]] = Counter()
        self.copies: dict[tuple[str, int], set[tuple[str | None, str]]] = defaultdict(set)
        self.runs: dict[tuple[str, str], tuple[int, int]] = {}
        self.open: dict[tuple[str, tuple[Any, ...]], tuple[str, int]] = {}
        self.below: dict[tuple[str, tuple[Any, ...]], int] = {}
        self.done: dict[tuple[str, tuple[Any, ...]], int] = {}

    def fold(self, record: Range) -> set[tuple[str, tuple[Any, ...], str, str]]:
        """Take in a record; the changes as (rule, subject, status, id)."""
        hours = [each.hour for each, _ in record.sums.complained] + [each.hour for each in record.sums.reported]
        self.now = max(self.now, min(max([record.event_time, *(hour * HOUR for hour in hours)]), record.at))
        touched = self._take(record)
        changes: set[tuple[str, tuple[Any, ...], str, str]] = set()
        for rule, subject, hour in sorted(touched, key=repr):
            key = (rule, subject)
            broken, _, last = self._ask(rule, subject, hour)
            if broken and key not in self.open and self.done.get(key, -1) < last:
                named = dict(zip(FIELDS[rule], subject, strict=True))
                self.open[key] = (breach_id(IDS[rule], named, last), last)
                changes.add((IDS[rule], subject, "open", self.open[key][0]))
        changes |= self._close()
        return changes

    def _close(self) -> set[tuple[str, tuple[Any, ...], str, str]]:
        closed, hour = set(), self.now // HOUR
        for key in list(self.open):
            rule, subject = key
            hours = (hour - 1, hour) if rule in {"B4", "B5"} else (hour,)
            broken, level, last = max((self._ask(rule, subject, each) for each in hours), key=lambda a: (a[1], a[2]))
            if broken:
                self.open[key] = (self.open[key][0], max(last, self.open[key][1]))
            if level >= self.limits.close_below:
                self.below.pop(key, None)
            elif self.now - self.below.setdefault(key, self.now) >= self.limits.hold:
                del self.below[key]
                known, self.done[key] = self.open.pop(key)
                closed.add((IDS[rule], subject, "closed", known))
        return closed

    def _take(self, record: Range) -> set[tuple[str, tuple[Any, ...], int]]:
        """Keep every sum; what is to be asked about: those touched, and all pairs with complaints."""
        touched: set[tuple[str, tuple[Any, ...], int]] = set()
        oldest, sums, hour = self.now // HOUR, record.sums, self.now // HOUR
        for tally in record.tallies:
            self.sends[tally.owner, tally.port, tally.minute * MINUTE // HOUR] += tally.sends
        for each, count in sums.complained:
            if not each.about_code:
                self.complaints[each.owner, each.port, each.hour] += count
        touched |= {("B3", key[:2], hour) for key in self.complaints}
        lately = oldest - 720
        for report in (each for each in sums.reported if each.hour > lately):
            self.reports[report.sp, report.port, report.hour, True] += report.delivered
            self.reports[report.sp, report.port, report.hour, False] += report.undelivered
            touched.add(("B4", (report.sp, report.port), report.hour))
        for hit in (each for each in sums.hits if each.hour > lately):
            self.hits[hit.sp, hit.port, hit.hour] += hit.count
            touched.add(("B4", (hit.sp, hit.port), hit.hour))
        for copied in (each for each in sums.copied if each.hour > lately):
            self.copies[copied.fingerprint, copied.hour].add((copied.signature, copied.port))
            touched.add(("B5", (copied.fingerprint,), copied.hour))
        for blocked in sums.blocked:
            self.runs[blocked.recipient, blocked.owner] = (blocked.run, blocked.until)
            touched.add(("B6", (blocked.recipient, blocked.owner), hour))
        return touched

    def _ask(self, rule: str, subject: tuple[Any, ...], hour: int) -> Answer:
        """Broken, level, the last hour of the window."""
        limits = self.limits
        if rule == "B3":
            return self._rate(subject, hour)
        if rule == "B4":
            hits = self.hits[*subject, hour]
            failed, fine = self.reports[*subject, hour, False], self.reports[*subject, hour, True]
            share = failed / (failed + fine) if failed + fine else 0
            broken = hits > 0 or (failed + fine >= 20 and failed > fine)
            return broken, max(hits, min((failed + fine) / 20, share / 0.5)), hour
        if rule == "B5":
            seen = self.copies.get((*subject, hour), set())
            spread = max(len({s for s, _ in seen if s is not None}), len({p for _, p in seen}))
            return spread >= limits.copies, spread / limits.copies, hour
        run, until = self.runs.get((subject[0], subject[1]), (0, 0))
        if self.now >= until:
            return False, 0, -1
        return run >= 2, run / 2, (until - 1) // HOUR

    def _rate(self, subject: tuple[Any, ...], hour: int) -> Answer:
        def within(counts: Counter[tuple[Any, ...]], hours: int) -> int:
            return sum(n for key, n in counts.items() if key[:2] == subject and hour - hours < key[2] <= hour)

        month, sent = within(self.complaints, 720), within(self.sends, 720)
        lately, few = within(self.complaints, 240), within(self.sends, 240) < 100_000
        rate = bound(month) / max(sent, 1) * 1e6
        broken = (month >= 5 and rate > 0.25) or (few and lately >= 5)
        return broken, max(min(month / 5, rate / 0.25), lately / 5 if few else 0), hour
