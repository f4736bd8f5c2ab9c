"""A story: a week of a carrier's traffic, and the truth about it, from a seed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sendwatch.simulate.prelude import facts
from sendwatch.simulate.traffic import Traffic
from sendwatch.simulate.truth import Message, Truth
from sendwatch.simulate.world import FEWEST_OWNERS, FEWEST_RECIPIENTS, Settings, World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sendwatch.simulate.canary import Canary

START_AT: Final = 1_794_153_600_000  # 2026-11-09 00:00 UTC+8, the Monday of 双11's week


class Story:
    """The same settings give the same messages, byte for byte, each time that they are iterated.

    Args:
        seed: what all chance comes from.
        sends: how many well-formed, distinct sends; repeats and malformed ones come on top.
        recipients: how many of them ordinary customers; planted cases add a few.
        owners: how many content owners.
        start_at: when the week begins, ms since 1970 UTC.
        days: how long it lasts.
        violations: the part of the sends in which something is planted (traps that must not be flagged included).
        malformed: malformed records per sound one, among sends and consents. If above 0, every registry has some.
        repeats: the part of sends and consents that are sent once more, unchanged.
        recipient_form: `number` or `token`.
        partitions: of the topics keyed by recipient; needed for planting misplaced records, else there are none.
        neighbours: plant what other sends make unlawful (C4, B2, C7), too.
        replies: have recipients reply, and plant what that makes unlawful (C5, C9) or lawful (requests), too.
        long_messages: plant messages in several parts, too: in and out of order, incomplete, completed late.
        late: the part of consents and replies that are recorded up to 60 hours after the first send that they bear
            on. If above 0, facts, sends and registry rows are planted, too, that come at the edge of the window or
            past it.
        canary: a number and a sentence to plant.
    """

    def __init__(
        self,
        seed: int | str = 1,
        sends: int = 50_000,
        recipients: int = 20_000,
        owners: int = 2_000,
        start_at: int = START_AT,
        days: int = 7,
        *,
        violations: float = 0.03,
        malformed: float = 0.002,
        repeats: float = 0.003,
        recipient_form: str = "number",
        partitions: int | None = None,
        neighbours: bool = False,
        replies: bool = False,
        long_messages: bool = False,
        late: float = 0.0,
        canary: Canary | None = None,
    ) -> None:
        if owners < FEWEST_OWNERS or recipients < FEWEST_RECIPIENTS or days < 1:
            raise ValueError(f"a story takes {FEWEST_OWNERS} owners, {FEWEST_RECIPIENTS} recipients and a day, or more")
        self.settings = Settings(
            seed=seed, sends=sends, recipients=recipients, owners=owners, start_at=start_at, days=days,
            violations=violations, malformed=malformed, repeats=repeats, recipient_form=recipient_form,
            partitions=partitions, neighbours=neighbours, replies=replies, long_messages=long_messages,
            late=late, canary=canary,
        )  # fmt: skip
        self.world = World(self.settings)
        self._facts: Truth | None = None
        self._sends: Truth | None = None

    @property
    def end_at(self) -> int:
        return self.settings.end_at

    def facts(self, truth: Truth | None = None) -> Iterator[Message]:
        """Registries and consents written before the week. `truth`, if given, is filled as they go
        out.
        """
        mine = Truth() if truth is None else truth
        yield from facts(self.world, mine)
        if truth is None:
            self._facts = mine

    def sends(self, truth: Truth | None = None) -> Iterator[Message]:
        """The week's sends and late facts in order of arrival. `truth`, if given, is filled as they go out: what it
        says at any moment is right for what went out until then, but for what a long message or a late fact is to
        change yet.
        """
        mine = Truth() if truth is None else truth
        yield from Traffic(self.world, mine).messages()
        if truth is None:
            self._sends = mine

    @property
    def truth(self) -> Truth:
        """The truth about everything; costs a pass over the story unless one was made to the end before."""
        if self._facts is None:
            for _ in self.facts():
                pass
        if self._sends is None:
            for _ in self.sends():
                pass
        assert self._facts is not None
        assert self._sends is not None
        return self._facts.together(self._sends)
