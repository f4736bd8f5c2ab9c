"""What the desk has at hand: the latest flags, all breaches and dispositions, and how they are told.

Belongs here: keeping them, and views of them with names, words and what people decided. Not here: reading topics
(`following.py`), what the aggregator counts (`counted.py`).
"""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import TYPE_CHECKING

import msgspec

from sendwatch.desk.dispositions import Dispositions
from sendwatch.desk.flags import Flags, covered_by
from sendwatch.desk.say import BreachView, Brief, ExceptionView, FlagSend, Look, WholeFlag
from sendwatch.verdict import Words
from sendwatch.windows.outbreaks import RULES as WINDOWED

if TYPE_CHECKING:
    from datetime import date

    from sendwatch.desk.flags import Held
    from sendwatch.desk.named import Named
    from sendwatch.desk.say import Disposition
    from sendwatch.outgoing import BreachEvent

MOST_BREACHES = 10_000
LOOKS = 1000
WINDOWED_BY_ID = {rule.id: rule for rule in WINDOWED}


class AtHand:
    """Everything that is kept in memory of what was published."""

    def __init__(self, names: Named, flags_kept: int) -> None:
        """Nothing yet."""
        self.names = names
        self.flags = Flags(flags_kept)
        self.breaches: OrderedDict[str, BreachEvent] = OrderedDict()
        self.dispositions = Dispositions()
        self.looks: deque[Look] = deque(maxlen=LOOKS)

    def take_breach(self, event: BreachEvent) -> bool:
        """Take in a breach; False where that says nothing new. Closed ones give way where there are too many."""
        before = self.breaches.get(event.breach_id)
        if before is not None and (before.status, before.closed_at) == (event.status, event.closed_at):
            return False
        self.breaches.pop(event.breach_id, None)
        self.breaches[event.breach_id] = event
        if len(self.breaches) > MOST_BREACHES:
            oldest = next((key for key, each in self.breaches.items() if each.status != "open"), None)
            self.breaches.pop(oldest or next(iter(self.breaches)))
        return True

    # -- flags --------------------------------------------------------------------------------------------------

    def brief(self, held: Held) -> Brief:
        """A flag as a list shows it."""
        event, send = held.event, held.event.send
        owner = self.names.owner(send.owner)
        source = event.source
        return Brief(
            flag_id=event.flag_id,
            seq=held.seq,
            status=event.status,
            shadow=event.shadow,
            rule=event.rule,
            title=self.names.title(event.rule),
            severity=event.severity,
            law=event.law,
            reason=Words(event.reason.en, event.reason.zh),
            send=FlagSend(
                send.id, send.sp, send.port, send.carrier, send.province, send.signature, send.owner, send.type, send.at
            ),
            owner_name=owner.zh if owner is not None else None,
            source=f"{source.topic}:{source.partition}:{source.offset}",
            late=held.late,
            revision=event.revision,
            judged_at=event.judged_at,
            disposition=self.dispositions.last(event.flag_id),
        )

    def whole(self, held: Held, *, archived: bool = False) -> WholeFlag:
        """A flag with its evidence; `archived`: as the archive has it, without its recipient."""
        event = held.event
        return WholeFlag(
            **msgspec.structs.asdict(self.brief(held)),
            recipient=None if archived else event.send.recipient,
            evidence=event.evidence,
            because=event.because,
            type_source=event.send.type_source,
            version=msgspec.structs.asdict(event.version),
            epoch=event.epoch,
            history=self.dispositions.history(event.flag_id),
            archived=archived,
        )

    # -- breaches -----------------------------------------------------------------------------------------------

    def breach(self, event: BreachEvent) -> BreachView:
        """A breach with its words."""
        owner = self.names.owner(event.subject.get("owner"))
        rule = WINDOWED_BY_ID.get(event.rule)
        reason = Words("", "") if rule is None else rule.reason_of(event.subject, event.measures)
        return BreachView(
            breach_id=event.breach_id,
            status=event.status,
            rule=event.rule,
            title=self.names.title(event.rule),
            severity=self.names.severity(event.rule),
            subject=event.subject,
            names={"owner": owner.zh} if owner is not None else {},
            window=event.window,
            measures=event.measures,
            limit=event.limit,
            reason=reason,
            opened_at=event.opened_at,
            closed_at=event.closed_at,
            disposition=self.dispositions.last(event.breach_id),
        )

    def some_breaches(self, status: str = "all", rules: tuple[str, ...] = ()) -> list[BreachView]:
        """The wanted breaches, newest first."""
        found = [
            each
            for each in self.breaches.values()
            if status in ("all", each.status)
            and (not rules or any(each.rule == one or each.rule.startswith(f"{one}_") for one in rules))
        ]
        found.sort(key=lambda each: (-each.opened_at, each.breach_id))
        return [self.breach(each) for each in found]

    # -- exceptions ---------------------------------------------------------------------------------------------

    def exceptions(self, today: date) -> list[ExceptionView]:
        """The exceptions that people made, and how many of the flags at hand each covers."""

        def covered(made: Disposition) -> int:
            return covered_by(self.flags, made.rule, made.subject.owner, made.subject.signature)

        return self.dispositions.exceptions(today, covered)
