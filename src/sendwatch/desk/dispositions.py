"""What people decide about flags and breaches (事后处置), and what follows: which holds, precision, exceptions.

Belongs here: folding what is on `sms.dispositions`, making a record of a decision, and the rules about that. Not here:
writing to Kafka (`following.py`), shapes (`say.py`). Pure.

    confirm     it is a violation                              counts for the rule's precision
    dismiss     it is none                                     counts against it
    except      the sender is excepted until a day             marks flags here; the judge is told by its configuration
    suspend     downstream is advised to suspend the sender    a recommendation by a person, never a block
    appeal      the other side objects: open again             counts neither way

The last disposition of a flag or breach holds. Of a flag that was excepted or appealed, what was confirmed or dismissed
before counts no more for the precision.
"""

from __future__ import annotations

import json
from collections import Counter, deque
from datetime import UTC, date, datetime, timedelta
from math import sqrt
from typing import TYPE_CHECKING

import msgspec

from sendwatch.desk.say import Disposition, ExceptionView, Precision
from sendwatch.outgoing import SCHEMAS, SOURCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sendwatch.outgoing import Headers
    from sendwatch.verdict import Words

MADE = "sendwatch.disposition.made.v1"
ACTIONS = ("confirm", "dismiss", "except", "suspend", "appeal")
BEIJING = timedelta(hours=8)
Z = 1.959964  # of the two-sided 95 % interval
LATEST = 1000

encode = msgspec.json.Encoder().encode
read = msgspec.json.Decoder(Disposition).decode


class Dispositions:
    """All decisions, by what they are about; the number of decisions is people's, so all are kept."""

    def __init__(self) -> None:
        """None yet."""
        self._of: dict[str, list[Disposition]] = {}
        self._ids: set[str] = set()
        self.latest: deque[Disposition] = deque(maxlen=LATEST)

    def take(self, made: Disposition) -> bool:
        """Take one in; False where it was taken before."""
        if made.disposition_id in self._ids:
            return False
        self._ids.add(made.disposition_id)
        self._of.setdefault(made.about.id, []).append(made)
        self.latest.append(made)
        return True

    def last(self, about: str) -> Disposition | None:
        """The one that holds of a flag or breach."""
        found = self._of.get(about)
        return found[-1] if found else None

    def action_of(self, about: str) -> str | None:
        """What the last one of a flag or breach says."""
        last = self.last(about)
        return last.action if last is not None else None

    def history(self, about: str) -> list[Disposition]:
        """All of a flag or breach, oldest first."""
        return list(self._of.get(about, ()))

    def holding(self) -> Iterator[Disposition]:
        """The one that holds of each."""
        return (each[-1] for each in self._of.values())

    def by_action(self) -> dict[str, int]:
        """How many hold, by action."""
        counts = Counter[str](each.action for each in self.holding())
        return {action: counts[action] for action in ACTIONS}

    def page(
        self, about: str | None, action: str | None, limit: int, skip: int
    ) -> tuple[list[Disposition], int, int | None]:
        """The latest ones, newest first; how many there are; how many to skip for the next page."""
        some = self.history(about) if about is not None else list(self.latest)
        fitting = [each for each in reversed(some) if action in (None, each.action)]
        page = fitting[skip : skip + limit]
        return page, len(fitting), skip + limit if skip + limit < len(fitting) else None

    def precision(self, titles: Mapping[str, Words]) -> list[Precision]:
        """Of each rule, how many of the flags that people judged they confirmed."""
        counts = {rule: [0, 0] for rule in titles}
        for each in self.holding():
            verdict = each
            if each.action == "suspend":  # a recommendation rests on what was confirmed before, or confirms by itself
                verdict = next((d for d in reversed(self._of[each.about.id]) if d.action in JUDGING), each)
            if each.rule in counts and each.action in (*JUDGING, "suspend"):
                counts[each.rule][verdict.action == "dismiss"] += 1
        return [_precision(rule, titles[rule], *numbers) for rule, numbers in counts.items()]

    def exceptions(self, today: date, covered: Callable[[Disposition], int]) -> list[ExceptionView]:
        """The exceptions that hold, latest first; `covered` tells how many flags one covers."""
        found = [each for each in self.holding() if each.action == "except" and each.until is not None]
        return [
            ExceptionView(
                rule=each.rule,
                owner=each.subject.owner,
                signature=each.subject.signature,
                until=each.until or "",
                why=each.why,
                by=each.by,
                made_at=each.made_at,
                disposition_id=each.disposition_id,
                expired=date.fromisoformat(each.until or "") < today,
                flags=covered(each),
            )
            for each in sorted(found, key=lambda one: -one.made_at)
        ]


JUDGING = ("confirm", "dismiss")


def _precision(rule: str, title: Words, confirmed: int, dismissed: int) -> Precision:
    judged = confirmed + dismissed
    if not judged:
        return Precision(rule, title, 0, 0, None, None, None)
    share, low, high = confirmed / judged, *wilson(confirmed, judged)
    return Precision(rule, title, confirmed, dismissed, round(share, 4), round(low, 4), round(high, 4))


def wilson(hits: int, of: int) -> tuple[float, float]:
    """The 95 % score interval of a share (Wilson 1927); `of` is not 0."""
    share, square = hits / of, Z * Z / of
    centre, half = share + square / 2, Z * sqrt(share * (1 - share) / of + square / (4 * of))
    return max(0.0, (centre - half) / (1 + square)), min(1.0, (centre + half) / (1 + square))


def as_toml(exceptions: list[ExceptionView]) -> str:
    """The lines of `sendwatch.toml` that make the judge spare these senders; those that ended are left out."""
    blocks = []
    for each in exceptions:
        if each.expired:
            continue
        named = {"owner": each.owner, "signature": each.signature, "reason": f"{each.why} ({each.by})"}
        lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in named.items() if value]
        blocks.append("\n".join([f"[[rules.{each.rule}.exceptions]]", *lines, f"until = {each.until}"]))
    return "\n\n".join(blocks) + ("\n" if blocks else "")


def day_of(at: int) -> date:
    """The day of a time (ms), in UTC+8."""
    return (datetime.fromtimestamp(at / 1000, UTC) + BEIJING).date()


def headers_of(made: Disposition) -> Headers:
    """CloudEvents 1.0, binary mode over Kafka."""
    time = datetime.fromtimestamp(made.made_at / 1000, UTC).isoformat(timespec="milliseconds")
    named = {
        "ce_specversion": "1.0",
        "ce_id": made.disposition_id,
        "ce_source": SOURCE,
        "ce_type": MADE,
        "ce_time": time,
        "ce_subject": made.about.id,
        "ce_dataschema": SCHEMAS + MADE,
        "content-type": "application/json",
    }
    return [(name, value.encode()) for name, value in named.items()]
