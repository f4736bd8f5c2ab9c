"""What owners write: each has a handful of texts of every class and uses them again and again.

Belongs here: making those texts, and the part of a send's record that is the same whenever one is used. Not here: who
gets one, and when (`traffic.py`). The words are the simulator's. What a campaign says is the same for everybody; what
differs from recipient to recipient are codes, numbers, amounts, times, and in some the link.
"""

from __future__ import annotations

import re
from random import Random
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from sendwatch.simulate import misworded
from sendwatch.simulate.drafts import Draft, Pen, Templated
from sendwatch.simulate.phrases import COMMERCIAL, OTP, SERVICE, sign
from sendwatch.simulate.wording import REFUSALS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sendwatch.simulate.carrier import Line
    from sendwatch.simulate.phrases import Phrases

MOST = 8  # texts of one owner and class
OWN_LINKS = 0.33  # of the texts with a link: each recipient gets one of its own
VARYING = frozenset({"code", "parcel", "order", "pick", "tail", "date", "clock", "price", "limit", "gb"})
SLOT = re.compile(r"\{(\w+)\}")
MARK = "\ue000"  # where something varies, while a text is being made
LETTERS = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"


class Wording(Struct, frozen=True, gc=False):
    """The end of a record, from `sp` on, with a `%b` for each of `pools`; `flags` is what follows from the text."""

    form: bytes
    pools: tuple[tuple[bytes, ...], ...]
    flags: frozenset[str] = frozenset()


class Writer:
    """Makes the texts of each line and class when they are first asked for; the same seed makes the same."""

    def __init__(self, seed: int, phrases: Phrases) -> None:
        """Nothing is made yet."""
        self._seed = seed
        self._phrases = phrases
        self._made: dict[tuple[int, str, str], list[Wording]] = {}
        random = Random(f"{seed}/links")
        self._links = tuple("".join(random.choices(LETTERS, k=6)).encode() for _ in range(4096))
        self._bare = {klass: [each.pattern for each in skeletons] for klass, skeletons in phrases.bare.items()}
        self._pools = {name: tuple(word.encode() for word in pool) for name, pool in phrases.pools.items()}

    def good(self, line: Line, klass: str) -> list[Wording]:
        """The texts with which nothing is wrong; the first ones are meant to be used most."""
        return self._of(line, klass, "good", self._make_good)

    def bad(self, line: Line, klass: str) -> list[Wording]:
        """Commercial texts that break a rule, whoever gets them."""
        return self._of(line, klass, "bad", self._make_bad)

    def misfit(self, templated: Templated, klass: str) -> list[Wording]:
        """Commercial texts that name a template of the line and depart from it."""
        return self._of(templated.line, klass, "misfit", lambda line, klass, random: [
            self._reworded(line, klass, plan, Pen(random, self._phrases, templated))
            for plan in misworded.PLANS.values() if plan.templated
        ])  # fmt: skip

    def _of(
        self, line: Line, klass: str, what: str, make: Callable[[Line, str, Random], list[Wording]]
    ) -> list[Wording]:
        key = (id(line), klass, what)
        made = self._made.get(key)
        if made is None:
            random = Random(f"{self._seed}/{line.owner}/{line.prefix}/{line.sp}/{line.signature}/{klass}/{what}")
            made = self._made[key] = make(line, klass, random)
        return made

    def _make_good(self, line: Line, klass: str, random: Random) -> list[Wording]:
        made = []
        template = line.templates.get(klass)
        for number in range(MOST):
            if template is not None and number % 2 == 0:
                pools = dict(zip(template.skeleton.names, template.skeleton.pools, strict=True))
                made.append(self._worded(line, klass, template.skeleton.pattern, random, pools, template.id))
            else:
                made.append(self._worded(line, klass, self._sentences(klass, random), random))
        return made

    def _sentences(self, klass: str, random: Random) -> str:
        """One or two sentences of that class with their slots, and how to refuse where it is commercial."""
        bare = self._bare[klass]
        first, second = random.choice(bare), random.choice(bare)
        while "】" in first:  # a code where one may look for a signature would make a text of two
            first = random.choice(bare)
        if klass == OTP:
            return first
        if klass == SERVICE:
            return first + second
        return first.removesuffix("！") + "！" + second.replace("{link}", "APP") + random.choice(REFUSALS)

    def _worded(
        self,
        line: Line,
        klass: str,
        pattern: str,
        random: Random,
        pools: Mapping[str, tuple[str, ...]] | None = None,
        template: str | None = None,
    ) -> Wording:
        """A wording of a sentence: slots of VARYING stay open, all others get one of their words for good."""
        drawn = pools or self._phrases.pools
        varying: list[tuple[bytes, ...]] = []

        def fill(slot: re.Match[str]) -> str:
            name = slot[1]
            if name == "link" and len(drawn[name]) > 1 and random.random() < OWN_LINKS:
                varying.append(self._links)
                return f"https://s.t{line.owner}.example/{MARK}"
            if name in VARYING and klass not in COMMERCIAL:
                varying.append(self._pools[name])
                return MARK
            return random.choice(drawn[name])

        return self._record(line, klass, SLOT.sub(fill, pattern), random, tuple(varying), template)

    def _record(
        self,
        line: Line,
        declared: str,
        body: str,
        random: Random,
        pools: tuple[tuple[bytes, ...], ...] = (),
        template: str | None = None,
        flags: frozenset[str] = frozenset(),
    ) -> Wording:
        titled = declared == SERVICE and template is None
        fields = {"sp": line.sp, "category": declared, "text": sign(line.signature, body, random.random(), titled)}
        if template is not None:
            fields["template"] = template
        form = msgspec.json.encode(fields)[1:].replace(b"%", b"%%").replace(MARK.encode(), b"%b")
        return Wording(form, pools, flags)

    def _make_bad(self, line: Line, klass: str, random: Random) -> list[Wording]:
        pen = Pen(random, self._phrases, None)
        plans = [plan for plan in misworded.PLANS.values() if not plan.templated]
        return [self._reworded(line, klass, plan, pen) for plan in plans for _ in range(1 + plan.weight // 4)]

    def _reworded(self, line: Line, klass: str, plan: misworded.Plan, pen: Pen) -> Wording:
        draft = Draft(0, 0, line, klass, klass, self._phrases.body(klass, pen.random))
        plan.rewrite(draft, pen)
        return self._record(line, draft.declared, draft.body or "", pen.random, (), draft.template, draft.flags)
