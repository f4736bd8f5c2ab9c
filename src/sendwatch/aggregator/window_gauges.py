"""What many sends amount to, told to the metrics: breaches, top lists, windows. No Kafka I/O.

Belongs here: reading off a board, and hiding names behind ids. Not here: counting (`windows/`), when it is asked
(`aggregator.py`).

No name stands in a label: a signature may be anything that a sender writes, and who is complained of is nobody's
business who may only see dashboards.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from sendwatch.correlation import id_of
from sendwatch.metric_table import MOST_TOP
from sendwatch.windows import asked

if TYPE_CHECKING:
    from sendwatch.metrics import Metrics
    from sendwatch.windows.board import Board
    from sendwatch.windows.breach import Breach

WINDOWS: Final = ("1h", "1d", "30d")
WITH_COMPLAINTS: Final = WINDOWS[1:]  # they are counted by clock hours
HOURS: Final = 24
WHOM: Final = ("owner", "sp", "signature", "fingerprint")  # B6 by its owner: of complainants nothing is told
MONTH: Final = 30 * HOURS


class Readings(Struct, frozen=True):
    """What is to be told: open breaches, oldest first, and the values of each gauge by its labels."""

    opened: list[tuple[str, str, str, str]]
    gauges: dict[str, dict[tuple[str, ...], float]]


def read(board: Board, key: bytes) -> Readings:
    """Read everything off; `key` hides names. It may take some tenths of a second: rather not on the event loop."""
    opened = sorted(board.outbreaks.open.values(), key=lambda breach: (breach.opened_at, breach.id))
    totals = {window: asked.total(board, "all", (), window) for window in WINDOWS}
    gauges: dict[str, dict[tuple[str, ...], float]] = {
        "windows_sends": {(window,): sums.sends for window, sums in totals.items()},
        "windows_complaints": {(window,): totals[window].complaints for window in WITH_COMPLAINTS},
        "windows_coverage_ratio": {
            (window,): 1 - sums.undecided / sums.sends for window, sums in totals.items() if sums.sends
        },
        "top_signature_flag_rate": {
            (id_of(key, each.subject[0]), id_of(key, each.subject[1])): each.count / HOURS / 3600
            for each in asked.flagged_lately(board, MOST_TOP, HOURS)
        },
        "windows_opt_outs": {(what,): count for what, count in _opt_outs(board).items()},
    }
    return Readings([(breach.rule, *ids_of(breach, key), breach.id) for breach in opened], gauges)


def tell(readings: Readings, metrics: Metrics) -> None:
    """Set every gauge; what is not among the readings any more is told no more."""
    metrics.set_open(readings.opened)
    for name, values in readings.gauges.items():
        metrics.set_all(name, values)


def _opt_outs(board: Board) -> dict[str, int]:
    heeded = {"refusals": board.hours["all"].sum((), "refusals", board.now, MONTH), "sent_after": 0, "ignored": 0}
    named = {asked.AFTER_OPT_OUT: "sent_after", asked.IGNORED: "ignored"}
    for subject in board.rules.rows:
        if subject[0] in named:
            heeded[named[subject[0]]] += board.rules.sum(subject, "flags", board.now, MONTH)
    return heeded


def ids_of(breach: Breach, key: bytes) -> tuple[str, str]:
    """Under which ids a breach stands in labels: whom it is about, and the port, where it is about one."""
    whom = next((breach.subject[name] for name in WHOM if name in breach.subject), None)
    return id_of(key, whom), id_of(key, breach.subject.get("port"))
