"""The benchmark's traffic is what it says it is; whether it is judged rightly is the benchmark's own gate."""

from __future__ import annotations

from collections import Counter

import pytest

from bench.town import Consents, Town, Wish
from bench.traffic import Traffic
from sendwatch.events import Consent, Send
from sendwatch.reader import Reader


@pytest.fixture(scope="module")
def town() -> Town:
    """A small town."""
    return Town(Wish(sends=4000, recipients=2000, owners=300))


def test_every_send_and_consent_can_be_read(town: Town) -> None:
    """Nothing is refused or ignored, and sizes and shares are those of the issue."""
    ignored, read, types = Counter[str](), Reader("sends", recipient_form="number"), Counter[str]()
    traffic, size = Traffic(town), 0
    for record in traffic.write(0, 1):
        assert record.value is not None
        send = read(record.key, record.value, record.timestamp, ignored)
        assert isinstance(send, Send), send
        types[(send.category or "").partition(".")[0]] += 1
        size += len(record.value)
    assert sum(types.values()) == town.wish.sends
    assert 380 < size / town.wish.sends < 460
    assert 0.36 < types["marketing"] / town.wish.sends < 0.44
    assert 0.01 < len(traffic.flags) / town.wish.sends < 0.035
    consents, read = Consents(town, 0), Reader("consents", recipient_form="number")
    for index in range(200):
        name = town.recipients.name(index).encode()
        for value in consents.of(index, name):
            assert isinstance(read(name, value, 1_794_000_000_000, ignored), Consent)
    assert not ignored


def test_two_processes_write_what_one_would(town: Town) -> None:
    """Which send goes to whom, and what must be flagged, does not turn on how the work is shared."""
    alone, left, right = Traffic(town), Traffic(town), Traffic(town)
    keys = Counter((each.partition, each.timestamp, each.key) for each in alone.write(0, 1))
    shared = Counter(
        (each.partition, each.timestamp, each.key)
        for traffic, share in ((left, 0), (right, 1))
        for each in traffic.write(share, 2)
    )
    assert keys == shared
    assert alone.flags == left.flags | right.flags
