"""Texts that break a rule on a line and toward a recipient where all else is right: each function rewrites
one draft and says what follows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from sendwatch.simulate.carrier import CLASSES, YEAR, Line
from sendwatch.simulate.drafts import Templated
from sendwatch.simulate.phrases import OTP, SERVICE
from sendwatch.simulate.truth import B7, C8, DAY, G6, G7

if TYPE_CHECKING:
    from collections.abc import Callable

    from sendwatch.simulate.carrier import Carrier, Owner
    from sendwatch.simulate.drafts import Draft, Pen


def with_templates(world: Carrier, owner: Owner) -> Templated:
    prefix, sp = world.fresh_berth()
    signature = world.fresh_signature(owner.sector)
    classes = CLASSES[owner.sector]
    world.file(owner, signature, ["otp", "service", "marketing"], [prefix])
    current = {klass: world.file_template(owner, signature, klass) for klass in classes}
    past = {"valid_from": world.start_at - YEAR, "valid_until": world.start_at - DAY}
    old = {klass: world.file_template(owner, signature, klass, **past) for klass in classes}
    line = Line(owner=owner.number, signature=signature, prefix=prefix, sp=sp, classes=classes, templates=current)
    return Templated(line, old)


def no_refusal(draft: Draft, pen: Pen) -> None:
    """A commercial text that doesn't say how to refuse: C8."""
    draft.body = pen.phrases.without_refusal(draft.klass, pen.random)
    draft.template = None
    draft.flags = frozenset({C8})


def disguised(draft: Draft, pen: Pen) -> None:
    """A plainly commercial text declared as service or otp: G6; its type is the text's own."""
    draft.declared = pen.random.choice((SERVICE, SERVICE, OTP))
    draft.template = None
    draft.body = pen.phrases.body(draft.klass, pen.random)
    draft.flags = frozenset({G6})


def disguised_without_refusal(draft: Draft, pen: Pen) -> None:
    """Both: C8 and G6."""
    no_refusal(draft, pen)
    draft.declared = SERVICE
    draft.flags = frozenset({C8, G6})


def template_unknown(draft: Draft, pen: Pen) -> None:
    """Names a template that nobody filed: G7; without a valid template B7 doesn't ask."""
    draft.template = f"T-none-{pen.random.randrange(1000)}"
    draft.flags = frozenset({G7})


def template_old(draft: Draft, pen: Pen) -> None:
    """Names, and matches, a template that has run out: G7; without a valid template B7 doesn't ask."""
    assert pen.templated is not None
    old = pen.templated.old[draft.klass]
    draft.template, draft.body = old.id, old.skeleton.fill(pen.random)
    draft.flags = frozenset({G7})


def drifted(draft: Draft, pen: Pen) -> None:
    """Names a valid template, says something else, without link or number: G7."""
    template = pen.template(draft)
    draft.template, draft.body = template.id, None
    while draft.body is None or "https://" in draft.body or template.skeleton.matches(draft.body):
        draft.body = pen.phrases.body(draft.klass, pen.random)
    draft.flags = frozenset({G7})


def link_added(draft: Draft, pen: Pen) -> None:
    """The template's text with a foreign link behind it: G7 and B7."""
    template = pen.template(draft)
    draft.template = template.id
    draft.body = f"{template.skeleton.fill(pen.random)} https://x{pen.random.randrange(1000)}.example/go"
    draft.flags = frozenset({G7, B7})


def account_added(draft: Draft, pen: Pen) -> None:
    """The template's text with an account to write to behind it: G7 and B7."""
    template = pen.template(draft)
    draft.template = template.id
    draft.body = f"{template.skeleton.fill(pen.random)} 加微信fuli{pen.random.randrange(10**5, 10**6)}领红包"
    draft.flags = frozenset({G7, B7})


def number_slipped_in(draft: Draft, pen: Pen) -> None:
    """A telephone number inside a variable, so the pattern still matches: B7 alone."""
    template = pen.template(draft)
    values = [pen.random.choice(pool) for pool in template.skeleton.pools]
    place = next(place for place, name in enumerate(template.skeleton.names) if name != "link")
    values[place] += f"（咨询电话154{pen.random.randrange(10**8):08d}）"
    draft.template, draft.body = template.id, template.skeleton.form % tuple(values)
    draft.flags = frozenset({B7})


class Plan(msgspec.Struct, frozen=True, gc=False):
    """How often to use a function, and where: on commercial drafts only, on templated lines only."""

    rewrite: Callable[[Draft, Pen], None]
    weight: int
    commercial: bool = True
    templated: bool = False


PLANS: Final = {
    plan.rewrite.__name__: plan
    for plan in (
        Plan(no_refusal, 10), Plan(disguised, 5), Plan(disguised_without_refusal, 1),
        Plan(template_unknown, 3, commercial=False), Plan(template_old, 2, commercial=False, templated=True),
        Plan(drifted, 3, commercial=False, templated=True), Plan(link_added, 3, templated=True),
        Plan(account_added, 2, templated=True), Plan(number_slipped_in, 2, templated=True),
    )
}  # fmt: skip
