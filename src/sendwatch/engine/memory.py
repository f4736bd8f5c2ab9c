"""Sends that are alike, remembered: what the registries and the send's own rules say turns on few of its fields.

Belongs here: telling which sends are alike. Not here: finding out what is known of one (`facts.py`, `judge.py`).

Two sends are alike when their texts have the same shape, when they name the same SP, category and template, and ports
that the registries cannot tell apart, when they come from the same carrier and province where anything turns on these,
when they lie in a span of time in which no filing, letter or law begins or ends, and when nothing is wrong with them.
Rules that turn on the time of day are asked each time. A send that names a template is only like others where its text
is the template's and leads nowhere; otherwise it is looked at by itself.

The verdicts lie in a memory of their own, too: an owner's next text mostly differs in nothing that a rule looks at.
"""

from __future__ import annotations

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
    from sendwatch.events import Send, Template
    from sendwatch.facts import Facts, Parameters
    from sendwatch.judge import Asked, InForce, Rulebook
    from sendwatch.registry import Registry, Standing
    from sendwatch.text import Shape

VERDICTS = 65_536  # that are remembered; past that all are forgotten
LINES = 64  # of one shape


class Known(Struct, gc=False):
    """What sends that are alike have in common, for `since` <= t < `until` and one `generation` of the registry.

    `facts` are those of the first of them; the others' differ in id, time, port, place and text only. `verdict`: what
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

    known: dict[tuple[str | None, str | None], Known] = field(default_factory=dict)


class Memory:
    """Looks at each send as far as it is new; bounded."""

    def __init__(self, registry: Registry, parameters: Parameters, rulebook: Rulebook) -> None:
        """Nothing yet."""
        self._registry = registry
        self._parameters = parameters
        self._rulebook = rulebook
        self._own = parameters.consent_requests
        self._shapes = Shapes()
        self._verdicts: dict[tuple[object, ...], tuple[Standing, InForce, Verdict]] = {}

    def of(self, send: Send) -> Known:
        """What is known of a send without its recipient's dossier."""
        text = send.text
        if text is None or not is_whole(send):
            return self._look(send, None)
        shape, own = self._shapes.of(text), self._own
        asks_so = asks(text, own) if own else False
        asked = (self._way_of(send.port), send.sp, send.category, send.template, asks_so)
        known = shape.remembered.get(asked)
        if type(known) is _Places:
            known = known.known.get((send.carrier, send.province))
        if (
            type(known) is Known
            and known.generation == self._registry.generation
            and known.since <= send.at < known.until
            and (send.template is None or self._as_filed(send, shape, known.facts))
        ):
            return known
        return self._learn(send, shape, asked)

    def _learn(self, send: Send, shape: Shape, asked: tuple[object, ...]) -> Known:
        known = self._look(send, shape)
        facts = known.facts
        named = facts.template
        if known.passing.flags:
            return known  # its evidence may name the very port
        if named is not None and not (named.use is not None and self._leads_nowhere(send, shape, named.template)):
            return known  # its text is its own
        if len(shape.remembered) >= LINES and asked not in shape.remembered:
            shape.remembered.clear()
        found = shape.remembered.get(asked)
        if not isinstance(found, _Places) and facts.standing is not None and _turns_on_place(facts.standing):
            found = shape.remembered[asked] = _Places()
        if isinstance(found, _Places):
            found.known[send.carrier, send.province] = known
        else:
            shape.remembered[asked] = known
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

    def _look(self, send: Send, shape: Shape | None) -> Known:
        read = self._shapes.read if shape is None else lambda _: shape.reading
        facts = facts_of_send(send, self._registry, self._parameters, read)
        rules = self._rulebook.in_force(send.at)
        verdict = self._judge(facts, rules)
        commercial = is_commercial(facts.type)
        undecided = facts.type is None or facts.reading is None
        asks_for_consent = bool(facts.asks)
        passing = joined(verdict, judge(facts, rules.of_recipient)) if undecided else verdict
        standing, facts.text = facts.standing, None
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

    def _judge(self, facts: Facts, rules: InForce) -> Verdict:
        """What the lasting rules say; of a reading they don't see the signs."""
        standing, reading = facts.standing, facts.reading
        if facts.template is not None or standing is None:
            return judge(facts, rules.lasting)
        seen = None if reading is None else replace(reading, signs=())
        place = (facts.carrier, facts.province) if _turns_on_place(standing) else None
        way = self._way_of(facts.port)
        key = (id(standing), id(rules), seen, facts.type, facts.signature, way, facts.sp, facts.declared, place)
        found = self._verdicts.get(key)
        if found is not None:
            return found[2]
        verdict = judge(replace(facts, reading=seen, text=None), rules.lasting)
        if verdict.flags:
            return verdict  # its evidence may name the very port
        if len(self._verdicts) >= VERDICTS:
            self._verdicts.clear()
        self._verdicts[key] = (standing, rules, verdict)  # holding both keeps their ids their own
        return verdict


def joined(one: Verdict, other: Verdict) -> Verdict:
    """Both verdicts on one send, of different rules."""
    if not other.flags and not other.undecided and not other.suppressed:
        return one
    suppressed = one.suppressed + other.suppressed
    return Verdict(one.flags + other.flags, {**one.undecided, **other.undecided}, suppressed)


def _turns_on_place(standing: Standing) -> bool:
    row = standing.port
    return (
        standing.turns_on_carrier
        or standing.turns_on_province
        or (row is not None and (row.carriers is not None or row.provinces is not None))
    )
