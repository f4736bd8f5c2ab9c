"""Which of one recipient's submitted records are sends to be judged: repeats set apart, parts put together.

Belongs here: duplicates, conflicts, long messages. Not here: what a message is judged to be (`recipients.py`).

    repeat    of a send that is kept still: a duplicate, or a conflict where its values differ. Where nothing is kept
              any more it is judged again, and the later verdict holds. Whether one is kept that is not commercial can
              turn on registry rows that came later than its repeat: such a repeat is either, to the books
    parts     of one port, ref and total: in order of `sent_at`, the first opens a group for ten minutes, whenever the
              others arrive; of a repeated number the lowest offset counts. One part of one is no long message
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from sendwatch.days import DAY, MINUTE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sendwatch.audit.logs import Log
    from sendwatch.events import Send

PARTS_WITHIN = 10 * MINUTE
KEPT_ON = DAY  # beyond the window


class Submitted(Struct, frozen=True, gc=False):
    """One sound record of `sms.sends`; `event_time`: the greatest `sent_at` of the partition up to it."""

    offset: int
    arrived: int
    event_time: int
    send: Send


class Message(Struct, frozen=True, gc=False):
    """One send to be judged; of a long one `send`, `offset` and `arrived` are the lowest-numbered part's.

    `text` is the whole text, None where it is absent or incomplete.
    """

    offset: int
    arrived: int
    send: Send
    text: str | None

    @property
    def order(self) -> tuple[int, str]:
        """The order in which sends of one recipient count."""
        return (self.send.at, self.send.id)


class Keeping(NamedTuple):
    """Whether a send is kept by all that is known `now`, and whether it was whatever the registries said: `sure`."""

    now: bool
    sure: bool


SURELY = Keeping(now=True, sure=True)


def is_part(send: Send) -> bool:
    """Whether it is but a part of a message."""
    return send.part is not None and send.part.total > 1


def whole(submitted: Submitted) -> Message:
    """The message of a record that is no part."""
    return Message(submitted.offset, submitted.arrived, submitted.send, submitted.send.text)


def without_repeats(
    submitted: Sequence[Submitted], window: int, kept: Callable[[Message], Keeping], log: Log
) -> list[Submitted]:
    """Those that are to be judged, of records in the order of their offsets; the others are noted in `log`.

    `kept`: whether a send is kept when it has been judged, and whether it was from the first. Parts are: they may yet
    be put together.
    """
    standing: dict[str, Submitted] = {}
    judged = []
    for each in submitted:
        earlier = standing.get(each.send.id)
        if earlier is not None and each.event_time <= earlier.send.at + window + KEPT_ON:
            keeping = SURELY if is_part(earlier.send) else kept(whole(earlier))
            if earlier.send == each.send:
                log.what[each.offset] = "duplicates" if keeping.sure else "repeats"
            elif keeping.now:
                log.refuse(each.offset, "conflict")
            if keeping.now:
                continue
        standing[each.send.id] = each
        judged.append(each)
    return judged


def put_together(judged: Iterable[Submitted], event_time: int, log: Log) -> list[Message]:
    """The messages that these records are, by `event_time`; what each record is in the books goes into `log`."""
    messages = []
    parts: dict[tuple[object, ...], list[Submitted]] = {}
    for each in judged:
        part = each.send.part
        if part is None or not is_part(each.send):
            log.what.setdefault(each.offset, "judged")
            messages.append(whole(each))
        else:
            parts.setdefault((each.send.port, type(part.ref), part.ref, part.total), []).append(each)
    for some in parts.values():
        for group in _groups(some):
            log.what.update((each.offset, "parts") for each in group)
            message = _joined(_numbered(group), group[0].send.sent_at + PARTS_WITHIN, event_time)
            messages += [message] if message else []
    return messages


def _groups(parts: list[Submitted]) -> list[list[Submitted]]:
    groups: list[list[Submitted]] = []
    for each in sorted(parts, key=lambda one: (one.send.sent_at, one.offset)):
        if groups and each.send.sent_at < groups[-1][0].send.sent_at + PARTS_WITHIN:
            groups[-1].append(each)
        else:
            groups.append([each])
    return groups


def _numbered(group: list[Submitted]) -> list[Submitted]:
    """The parts of a group that count, by number."""
    numbered: dict[int, Submitted] = {}
    for each in sorted(group, key=lambda one: one.offset):
        assert each.send.part is not None
        numbered.setdefault(each.send.part.no, each)
    return [numbered[no] for no in sorted(numbered)]


def _joined(parts: list[Submitted], deadline: int, event_time: int) -> Message | None:
    """The message of these parts, by number; None while others are still waited for."""
    lowest = parts[0]
    assert lowest.send.part is not None
    complete = len(parts) == lowest.send.part.total
    if not complete and event_time < deadline:
        return None
    texts = [each.send.text for each in parts]
    text = "".join(filter(None, texts)) if complete and None not in texts else None
    return Message(lowest.offset, lowest.arrived, replace(lowest.send, text=text, part=None), text)
