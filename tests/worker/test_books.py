"""The books: every offset of every topic is exactly one of their kinds, whatever lies there."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine_builders import (
    ANNE,
    DAY,
    HOUR,
    NOW,
    Desk,
    Event,
    Rec,
    a_complaint,
    a_consent,
    a_reply,
    a_report,
    a_send,
    judged,
    quarantine_of,
    settings_of,
)
from sendwatch.engine.batch import process
from sendwatch.engine.judging import prepare
from sendwatch.events import Rejected
from sendwatch.outgoing import Place

KEY = ANNE.encode()
FIRST_HALF: dict[str, Any] = {"part": {"ref": 7, "no": 1, "total": 2}, "text": "【云岭商贸】会员日全场女装八折，"}
SECOND_HALF: dict[str, Any] = {"part": {"ref": 7, "no": 2, "total": 2}, "text": "满300减50，欢迎选购。拒收请回复R"}
REFUSED = {
    "no_value": Event("sends", NOW, KEY, None),
    "too_large": a_send(text="长" * 22_000),
    "not_utf8": Event("sends", NOW, KEY, b'{"id": "\xff"}'),
    "not_json": Event("sends", NOW, KEY, b'{"id": '),
    "not_object": Event("sends", NOW, KEY, b"[]"),
    "missing_field": Event("sends", NOW, KEY, b"{}"),
    "wrong_type": a_send(port=1069),
    "impossible_value": a_send(at=NOW + 2 * DAY, arrived=NOW),
    "recipient_form": a_send(recipient="+8613912345678"),
    "key_mismatch": a_send()._replace(key=b"13812345678"),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_a_refused_record_is_quarantined_between_its_neighbours(reason: str) -> None:
    """Refused by name and place; the one before and the one after are judged."""
    desk = judged([a_send("before"), REFUSED[reason], a_send("after")])
    assert quarantine_of(desk.messages) == {"sms.sends/0/1": reason}
    assert (desk.books()["sends"].judged, desk.books()["sends"].quarantined) == (2, 1)
    assert set(desk.rules) == {"before", "after"}


def test_many_refused_records_in_a_row() -> None:
    """A burst of nonsense is refused one by one."""
    desk = judged([a_send("before"), *list(REFUSED.values()) * 100, a_send("after")])
    assert desk.books()["sends"].quarantined == 1000
    assert len(quarantine_of(desk.messages)) == 1000
    assert desk.books()["sends"].judged == 2


ANY = [
    a_send(),
    a_send("s2", text="【云岭商贸】您的验证码是824193，请勿泄露。", category="otp"),
    a_send(port="10690002"),
    a_send("p1", **FIRST_HALF),
    a_send("p2", **SECOND_HALF),
    a_send("p3", at=NOW + HOUR, **SECOND_HALF),
    a_send("ignored", category=7, deliver_at=1),
    *REFUSED.values(),
    a_consent(),
    a_consent(expires_at="soon"),
    a_reply(),
    a_reply(carrier=""),
    a_report(),
    a_complaint(),
    None,
]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.sampled_from(ANY), max_size=8), max_size=5))
def test_every_offset_is_one_of_the_kinds(batches: list[list[Event | None]]) -> None:
    """Whatever lies in the topics, holes among it: the sums are the offsets, and quarantine holds what was refused."""
    desk = Desk()
    for batch in batches:
        for event in batch:
            if event is None:
                desk.topics["sends"].append(None)
            else:
                desk.write(event)
        work_with_holes(desk)
    books = desk.books()
    for kind, records in desk.topics.items():
        found = books.get(kind)
        ends_in_holes = next((i for i, record in enumerate(reversed(records)) if record is not None), len(records))
        read = len(records) - ends_in_holes
        assert (found.offsets if found else 0) == read, kind
        if found:
            assert found.absent == sum(record is None for record in records[:read])
    refused = sum(each.quarantined for each in books.values())
    assert refused == len(quarantine_of(desk.messages))


def work_with_holes(desk: Desk) -> None:
    """As `Desk.work`, of topics that have holes; what follows the last record is not read yet."""
    fetched: dict[str, list[Rec]] = {}
    following: dict[str, int] = {}
    for kind, records in desk.topics.items():
        new = [record for record in records[desk._read[kind] :] if record is not None]
        if new:
            fetched[kind], following[kind] = new, new[-1].offset + 1
    desk._read |= following
    desk.commit(desk.process(fetched, following))


def test_parts_of_long_messages() -> None:
    """The part that begins a message is judged, the others are parts, a part told twice is a duplicate."""
    books = judged(
        [a_send("p2", **SECOND_HALF), a_send("p1", **FIRST_HALF)],
        [a_send("p1", **FIRST_HALF)],
        [a_send("later", at=NOW + HOUR, **FIRST_HALF)],
    ).books()["sends"]
    assert (books.judged, books.parts, books.duplicates) == (2, 1, 1)


def test_a_part_with_other_values_is_a_conflict() -> None:
    """The same id again, with another text: the first counts."""
    desk = judged([a_send("p1", **FIRST_HALF)], [a_send("p1", **{**FIRST_HALF, "text": "别的"})])
    assert quarantine_of(desk.messages) == {"sms.sends/0/1": "conflict"}


def test_ignored_fields_are_counted_by_name() -> None:
    """A bad optional field is left out and counted where the record lies."""
    desk = judged([a_send(category="spam", province="x"), a_send("s2", province="y"), a_reply(carrier=7)])
    books = desk.books()
    assert books["sends"].ignored == {"category": 1, "province": 2}
    assert books["replies"].ignored == {"carrier": 1}


def test_records_on_the_wrong_partition_are_misplaced() -> None:
    """Facts and sends whose key belongs elsewhere are refused, and their place is told without their key."""
    desk = Desk(prepare(settings_of(topics__partitions="64")))
    desk.write(a_send(), a_consent(), a_reply(), a_report(), a_complaint()).work()
    assert set(quarantine_of(desk.messages).values()) == {"misplaced"}
    assert len(quarantine_of(desk.messages)) == 5
    assert all(ANNE.encode() not in message.value for message in desk.messages)


def test_a_payload_is_kept_only_where_configured() -> None:
    """By default its hash and size; the bytes themselves on demand."""
    bad = REFUSED["not_json"]
    for payload, expected in (("false", False), ("true", True)):
        desk = judged([bad], judging=prepare(settings_of(quarantine__payload=payload)))
        assert (b"payload" in desk.messages[0].value) is expected


def test_refused_registry_records_are_told_with_the_batch() -> None:
    """They are given in with their places, and stand in nobody's books."""
    desk = Desk()
    refused = [(Place("sms.owners", 0, 5), Rejected("missing_field", "name"), b"{}")]
    outcome = process(desk.partition, desk.judging, {}, {}, NOW, 0, refused)
    assert quarantine_of(outcome.messages) == {"sms.owners/0/5": "missing_field"}
    assert outcome.record.spans == {}
    assert not outcome.empty
