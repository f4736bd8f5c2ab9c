"""Sends that are alike, remembered: what the registries and the send's own rules say turns on few of its fields.

Belongs here: telling which sends are alike. Not here: finding out what is known of one (`facts.py`, `judge.py`).

Two sends are alike when their texts have the same shape, when they name the same SP, category and template, and ports
that the registries cannot tell apart, when they come from the same carrier and province where anything turns on these,
when they lie in a span of time in which no filing, letter or law begins or ends, and when nothing is wrong with them.
Rules that turn on the time of day are asked each time. A send that names a template is only like others where its text
is the template's and leads nowhere; otherwise it is looked at by itself.

Texts that read alike share what is known, too: an owner's next text mostly differs in nothing that a rule looks at.
"""

from __future__ import annotations

from sys import intern
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from sendwatch.dossier import is_commercial
from sendwatch.facts import LONGEST_PORT, facts_of_send, is_whole
from sendwatch.judge import judge
from sendwatch.templates import fits, foreign_links, turns_on_digits
from sendwatch.text import KINDS, Shapes, asks, may_lead
from sendwatch.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Hashable

    from sendwatch.events import Send, Template
    from sendwatch.facts import Facts, Parameters
    from sendwatch.judge import Asked, InForce, Rulebook
    from sendwatch.registry import Registry, Standing
    from sendwatch.text import Reading, Shape

ALIKE = 65_536  # readings and ways that are remembered; past that all are forgotten
LINES = 64  # of one shape


class Known(Struct, gc=False):
    """What sends that are alike have in common, for `since` <= t < `until` and one `generation` of the registry.

    `facts` are theirs, less id, time, port, place and text, in which they differ. `verdict`: what
    the lasting rules say; `passing`: the same with what the rules of the recipient say without a dossier, for a send
    that is not kept. `by_clock`: the rules that must be asked each time. `kept`: they are kept whatever these say.
    """

    generation: int
    facts: Facts
    in_force: InForce
    since: int
    until: int
    verdict: Verdict
    passing: Verdict
    by_clock: tuple[Asked, ...]
    commercial: bool
    kept: bool

    def facts_of(self, send: Send) -> Facts:
        """The facts of one of them."""
        return replace(
            self.facts,
            id=send.id,
            at=send.at,
            carrier=send.carrier,
            province=send.province,
            port=send.port,
            text=None if self.facts.reading is None else send.text,
        )


class _Places(Struct, gc=False):
    """What is known of sends of one shape over one line, by carrier and province: something turns on these."""

    known: dict[tuple[object, ...], Known] = field(default_factory=dict)


class Memory:
    """Looks at each send as far as it is new; bounded."""

    def __init__(self, registry: Registry, parameters: Parameters, rulebook: Rulebook) -> None:
        """Nothing yet."""
        self._registry = registry
        self._parameters = parameters
        self._rulebook = rulebook
        self._own = parameters.consent_requests
        self._shapes = Shapes()
        self._alike: dict[Hashable, object] = {}

    def of(self, send: Send) -> Known:
        """What is known of a send without its recipient's dossier."""
        text = send.text
        way, own = self._way_of(send.port), self._own
        if text is None or not is_whole(send):
            return self._look_once(send, None, (way, send.sp, send.category, send.template, False))
        shape = self._shapes.of(text)
        asked = (way, send.sp, send.category, send.template, asks(text, own) if own else False)
        known = _of_place(shape.remembered.get(asked), send)
        if (
            known is not None
            and known.generation == self._registry.generation
            and known.since <= send.at < known.until
            and (send.template is None or self._as_filed(send, shape, known.facts))
        ):
            return known
        return self._learn(send, shape, asked)

    def _learn(self, send: Send, shape: Shape, asked: tuple[object, ...]) -> Known:
        asked = _once(asked)
        known = self._look_once(send, shape, asked)
        named = known.facts.template
        if known.passing.flags:
            return known  # its evidence may name the very port
        if named is not None and not (named.use is not None and self._leads_nowhere(send, shape, named.template)):
            return known  # its text is its own
        if len(shape.remembered) >= LINES and asked not in shape.remembered:
            shape.remembered.clear()
        _remember(shape.remembered, asked, send, known)
        return known

    def _look_once(self, send: Send, shape: Shape | None, asked: tuple[object, ...]) -> Known:
        """What is known of a send; where it names no template, of another whose text reads alike, if there is one.

        Of a reading the rules don't see the signs.
        """
        reading = None if shape is None else shape.reading
        if send.template is not None:
            return self._look(send, reading)
        alike = (None if reading is None else replace(reading, signs=()), asked)
        known = _of_place(self._alike.get(alike), send)
        if known is not None and known.generation == self._registry.generation and known.since <= send.at < known.until:
            return known if reading is None else replace(known, facts=replace(known.facts, reading=reading))
        known = self._look(send, reading)
        if not known.passing.flags:
            if len(self._alike) >= ALIKE:
                self._alike.clear()
            _remember(self._alike, alike, send, known)
        return known

    def _as_filed(self, send: Send, shape: Shape, facts: Facts) -> bool:
        """Whether the text is that of the template, which is valid still, and leads nowhere but where that does.

        Another text of the shape was: `facts` are that one's.
        """
        named, text, standing = facts.template, send.text or "", facts.standing
        template = named.template if named is not None else None
        if template is None or self._registry.template(template.id, send.at) is not template:
            return False
        if "/" in text or turns_on_digits(template.pattern):
            signature = standing.signature if standing is not None else None
            if not fits(template, text, signature):
                return False
        return self._leads_nowhere(send, shape, template)

    def _leads_nowhere(self, send: Send, shape: Shape, template: Template | None) -> bool:
        """Whether the text leads nowhere but where its template does."""
        text = send.text or ""
        if shape.leads is None:
            shape.leads = may_lead(text)
        return template is not None and not (shape.leads and foreign_links(template, text, KINDS, shape.leads))

    def _way_of(self, port: str) -> str:
        """What stands for a port: the registries and the rules answer alike for all of which it is the same."""
        return self._registry.prefix_of(port) if len(port) <= LONGEST_PORT else port

    def _look(self, send: Send, reading: Reading | None) -> Known:
        read = self._shapes.read if reading is None else lambda _: reading
        facts = facts_of_send(send, self._registry, self._parameters, read)
        rules = self._rulebook.in_force(send.at)
        seen = facts
        if facts.template is None and facts.reading is not None:
            seen = replace(facts, reading=replace(facts.reading, signs=()), text=None)
        verdict = judge(seen, rules.lasting)
        commercial = is_commercial(facts.type)
        undecided = facts.type is None or facts.reading is None
        asks_for_consent = bool(facts.asks)
        passing = joined(verdict, judge(facts, rules.of_recipient)) if undecided else verdict
        standing = facts.standing
        _forget_own(facts)
        return Known(
            generation=self._registry.generation,
            facts=facts,
            in_force=rules,
            since=max(rules.since, standing.since) if standing is not None else rules.since,
            until=min(rules.until, standing.until) if standing is not None else rules.until,
            verdict=verdict,
            passing=passing,
            by_clock=tuple(each for each in rules.by_clock if not (each.rule.commercial and facts.commercial is False)),
            commercial=commercial,
            kept=commercial or bool(verdict.flags) or asks_for_consent,
        )


def _once(key: tuple[object, ...]) -> tuple[object, ...]:
    """The same key, its strings held only once by all that is remembered: each send brings its own."""
    return tuple(intern(each) if isinstance(each, str) else each for each in key)


def _forget_own(facts: Facts) -> None:
    """Drop what is the send's own, and hold only once what others name, too."""
    facts.id, facts.at, facts.port, facts.carrier, facts.province, facts.text = "", 0, "", None, None, None
    facts.sp = intern(facts.sp)
    if facts.declared is not None:
        facts.declared = intern(facts.declared)


def joined(one: Verdict, other: Verdict) -> Verdict:
    """Both verdicts on one send, of different rules."""
    if not other.flags and not other.undecided and not other.suppressed:
        return one
    suppressed = one.suppressed + other.suppressed
    return Verdict(one.flags + other.flags, {**one.undecided, **other.undecided}, suppressed)


def _of_place(found: object, send: Send) -> Known | None:
    """What was remembered, of sends from the same place where anything turns on it."""
    if type(found) is _Places:
        return found.known.get((send.carrier, send.province))
    return found if type(found) is Known else None


def _remember(memory: dict[Hashable, object], key: Hashable, send: Send, known: Known) -> None:
    """Remember what is known of a send, by its place where anything turns on that."""
    found, standing = memory.get(key), known.facts.standing
    if type(found) is not _Places and standing is not None and _turns_on_place(standing):
        found = memory[key] = _Places()
    if type(found) is _Places:
        found.known[_once((send.carrier, send.province))] = known
    else:
        memory[key] = known


def _turns_on_place(standing: Standing) -> bool:
    row = standing.port
    return (
        standing.turns_on_carrier
        or standing.turns_on_province
        or (row is not None and (row.carriers is not None or row.provinces is not None))
    )
