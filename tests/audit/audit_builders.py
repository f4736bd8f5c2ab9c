"""What the tests of the audit share: events laid out as topics, what an engine published, what is expected in short."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import msgspec

from engine_builders import REGISTRIES, SETTINGS, Desk, Event, Rec
from sendwatch import ledger
from sendwatch.audit import Expected, Flagged, Seen, compute, terms_of
from sendwatch.audit.books import Pages, decode
from sendwatch.audit.topics import take
from sendwatch.events import REGISTRIES as TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sendwatch.audit import Difference, Terms
    from sendwatch.outgoing import Message

Inputs = dict[tuple[str, int], list[Rec]]
TERMS = terms_of(SETTINGS)
ALL = 1 << 40


def laid_out(events: Iterable[Event], rows: Iterable[Event] = REGISTRIES) -> Inputs:
    """Registries and events as the topics of one partition, in the order in which they are given."""
    inputs: Inputs = defaultdict(list)
    for kind, timestamp, key, value in (*rows, *events):
        log = inputs[kind, 0]
        log.append(Rec(kind, 0, len(log), timestamp, key, value))
    return inputs


def expected(*events: Event, rows: Iterable[Event] = REGISTRIES, terms: Terms = TERMS) -> Expected:
    """What the audit expects of these records."""
    return compute(laid_out(events, rows), terms)


def rules(*events: Event, rows: Iterable[Event] = REGISTRIES, terms: Terms = TERMS) -> dict[str, set[str]]:
    """The rules that it expects to flag each send, by the first two characters of their ids."""
    found: dict[str, set[str]] = defaultdict(set)
    for flag in expected(*events, rows=rows, terms=terms).flags.values():
        found[flag.send_id].add(flag.rule[:2])
    return dict(found)


def evidence(rule: str, send_id: str, found: Expected) -> dict[str, object]:
    """The evidence of one expected flag."""
    flag = next(each for each in found.flags.values() if each.rule.startswith(rule) and each.send_id == send_id)
    return msgspec.json.decode(flag.evidence, type=dict[str, object])


def what(kind: str, found: Expected) -> list[str]:
    """What each record of a topic is in the books, in the order of offsets."""
    return [name for _, name in sorted(found.what[kind, 0].items())]


def seen_of(desk: Desk) -> Seen:
    """What a partition that was driven by hand has published."""
    seen, pages = Seen(), Pages(epoch=1)
    for message in desk.messages:
        take(message.topic, message.value, 0, {name: kind for kind, name in desk.judging.topics.items()}, seen)
    for record in desk.ledger:
        pages.turn(decode(ledger.encode(record)))
    pages.registries = dict.fromkeys(TABLES, ALL)
    seen.pages[0] = pages
    return seen


def published(messages: Iterable[Message], expected: Expected) -> Seen:
    """What was published according to these expectations and messages."""
    seen = Seen(flags=dict(expected.flags), quarantine=dict(expected.refused), optouts=dict(expected.optouts))
    for message in messages:
        take(message.topic, message.value, 0, {}, seen)
    return seen


def sorts(difference: Difference) -> Counter[str]:
    """What differs, in short: `missing C1`, `extra G2`, `evidence C5`, `sends: 1 judged, by the audit 2`."""
    flags = (*difference.missing, *difference.extra, *difference.other)
    counts = Counter(f"{each.what} {each.rule[:2]}" for each in flags)
    counts.update(f"{each.topic}: {each.wrong}" for each in difference.books)
    counts.update(f"{each.topic}: {each.expected}, seen {each.seen}" for each in difference.quarantine)
    counts.update(f"{each.topic}: {each.expected}, seen {each.seen}" for each in difference.optouts)
    return counts


def flagged(flag: Flagged, **changes: object) -> Flagged:
    """The same flag, but for these fields."""
    return msgspec.structs.replace(flag, **changes)
