"""The difference as lines for people and as JSON for programs.

Belongs here: wording. Not here: any finding.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sendwatch.audit.compare import Difference, Disputed

SHOWN = 20  # of each sort of difference; the JSON has all


def as_json(found: Difference) -> str:
    """All of it; `empty` says whether nothing differs."""
    return msgspec.json.encode({"empty": found.empty, **msgspec.structs.asdict(found)}).decode()


def as_lines(found: Difference) -> Iterator[str]:
    """A table of the rules, then what differs, then the result."""
    counts = [Counter(each.rule for each in some) for some in (found.missing, found.extra, found.other)]
    rules = sorted({*found.agreed, *found.undecided, *(rule for count in counts for rule in count)})
    yield f"{'rule':<26}{'agreed':>9}{'missing':>9}{'extra':>9}{'other':>9}  undecided"
    for rule in rules:
        numbers = "".join(f"{count[rule]:>9}" for count in (found.agreed, *counts))
        reasons = sorted(found.undecided.get(rule, {}).items())
        yield f"{rule:<26}{numbers}  {', '.join(f'{reason} {count}' for reason, count in reasons)}".rstrip()
    yield ""
    yield from _accounts(found)
    for name, some in (("missing", found.missing), ("extra", found.extra), ("other", found.other)):
        yield from _disputes(name, some)
    for name, misfits in (("quarantine", found.quarantine), ("opt-out", found.optouts)):
        for each in misfits[:SHOWN]:
            place = f"{each.topic}/{each.partition}/{each.offset}"
            yield f"{name} {place}: published {each.seen or 'none'}, expected {each.expected or 'none'}"
        yield from _more(len(misfits))
    for wrong in found.books[:SHOWN]:
        yield f"books {wrong.topic}/{wrong.partition} [{wrong.first}, {wrong.next}): {wrong.wrong}"
    yield from _more(len(found.books))
    yield _result(found)


def _accounts(found: Difference) -> Iterator[str]:
    for kind, counts in found.accounted.items():
        yield f"{kind:<12}{'  '.join(f'{name} {count}' for name, count in counts.items())}"
    yield f"{found.sends} sends audited; some rule could not say of {found.undecided_sends}"
    if found.tallied != found.undecided_sends:
        yield f"by the ledger's tallies, of {found.tallied} (of all sends that it holds)"
    for kind, count in found.behind.items():
        if count:
            yield f"{count} records of {kind} are not judged yet"
    if len(found.versions) > 1:
        yield f"judged by several versions: {'; '.join(found.versions)}"


def _disputes(name: str, disputes: list[Disputed]) -> Iterator[str]:
    for each in disputes[:SHOWN]:
        place = f"sends/{each.partition}/{each.offset}"
        what = f" ({each.what})" if name == "other" else ""
        yield f"{name} {each.rule} of {each.send_id} at {place}{what}"
        if each.seen is not None:
            yield f"    published {bytes(each.seen).decode()}"
        if each.expected is not None:
            yield f"    expected  {bytes(each.expected).decode()}"
    yield from _more(len(disputes))


def _more(count: int) -> Iterator[str]:
    if count > SHOWN:
        yield f"    and {count - SHOWN} more"


def _result(found: Difference) -> str:
    if found.empty and found.behind.total():
        return f"no difference so far: {found.agreed.total()} flags"
    if found.empty:
        return f"no difference: {found.agreed.total()} flags, every record accounted for"
    flags = len(found.missing) + len(found.extra) + len(found.other)
    others = len(found.quarantine) + len(found.optouts)
    return f"{flags} flags, {others} other records and {len(found.books)} places in the books differ"
