"""The difference that a replay found, as lines for people and as JSON for programs.

Belongs here: wording. Not here: any finding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator

    from sendwatch.replay.difference import Difference


def as_json(found: Difference, left: Counter[str] | None = None) -> str:
    """All of it; `empty` says whether nothing differs. `left`: of what was published, what was not; None: a dry run."""
    told = {"empty": found.empty, "published": left is not None, **msgspec.structs.asdict(found), "left": left or {}}
    return msgspec.json.encode(told).decode()


def as_lines(found: Difference, left: Counter[str] | None = None) -> Iterator[str]:
    """A table of the rules, the examples, the result; `left` as in `as_json`."""
    yield f"{'rule':<26}{'stands':>9}{'raised':>9}{'cleared':>9}{'changed':>9}"
    for rule in found.rules:
        counts = (found.stands, found.raised, found.cleared, found.changed)
        yield f"{rule:<26}{''.join(f'{count[rule]:>9}' for count in counts)}"
    yield ""
    for each in found.examples:
        yield f"{each.what} {each.rule} of {each.send_id} at sends/{each.partition}/{each.offset}, flag {each.flag_id}"
    for rule, count in sorted((left or {}).items()):
        yield f"left as they are: {count} of {rule}, which rest on neighbours of sends that are kept no more"
    if found.empty:
        yield f"nothing {'would change' if left is None else 'had to change'}: {found.stands.total()} flags stand"
    else:
        yield (
            f"{found.raised.total()} flags {'would be' if left is None else 'were'} raised, "
            f"{found.cleared.total()} cleared, {found.changed.total()} rest on something else; "
            f"{found.stands.total()} stand"
        )
