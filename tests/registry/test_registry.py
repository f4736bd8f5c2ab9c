"""Records in, answers out: the choice of signature, templates, owners, and what is remembered."""

from __future__ import annotations

import pytest
from registry_builders import a_filing, a_letter, a_port, a_registry, a_template, an_owner

from sendwatch.registry import Registry
from sendwatch.registry.answers import Answers


def signature(registry: Registry, head: str | None, tail: str | None, t: int = 50) -> str | None:
    return registry.standing(head, tail, "1069", "s1", None, None, t).signature


def test_of_two_candidates_the_one_that_a_filing_names_is_the_signature() -> None:
    """If both or neither is named, the head one; whatever the status and validity of the filing."""
    registry = a_registry(a_filing("f1", signature="甲", status="rejected"), a_filing("f2", signature="乙"))
    assert signature(registry, "123456", "甲") == "甲"
    assert signature(registry, "甲", "123456") == "甲"
    assert signature(registry, "乙", "甲") == "乙"
    assert signature(registry, "123456", "654321") == "123456"
    assert signature(registry, None, "654321") == "654321"
    assert signature(registry, None, None) is None


def test_a_filing_that_does_not_count_yet_names_nothing() -> None:
    """Before that the head candidate is taken, and each head keeps its own name."""
    registry = Registry(100)
    registry.put("signatures", "f1", 0, 150, a_filing())
    for _ in range(2):
        assert signature(registry, "123456", "甲", t=50) == "甲"
        assert signature(registry, "123456", "甲", t=49) == "123456"
        assert signature(registry, "654321", "甲", t=49) == "654321"


def test_names_are_matched_folded() -> None:
    """Filings write them in any width, with or without blanks."""
    registry = a_registry(a_filing(signature=" ＡＢ　公司"))
    assert len(registry.standing("AB公司", None, "1069", "s1", None, None, 50).valid) == 1


def test_a_template_is_known_before_and_after_it_is_valid() -> None:
    """Unknown, lapsed and valid are three answers."""
    row = a_template(valid_from=10, valid_until=20)
    registry = a_registry(row)
    assert [registry.template("t1", t) for t in (9, 10, 19, 20)] == [None, row, row, None]
    assert registry.template_known("t1", 20)
    assert not registry.template_known("t2", 20)


def test_the_other_owners_of_a_group_are_its_members() -> None:
    """Those whose row counts at `t`; an owner without row or group has none."""
    registry = a_registry(
        an_owner("O1", group="g"), an_owner("O3", group="g"), an_owner("O2", group="g"), an_owner("O4")
    )
    registry.put("owners", "O5", 9, 300, an_owner("O5", group="g"))
    assert registry.group_members("O1", 199) == ("O2", "O3")
    assert registry.group_members("O1", 200) == ("O2", "O3", "O5")
    assert registry.group_members("O4", 200) == registry.group_members("O9", 200) == ()
    row = registry.owner_row("O5", 200)
    assert row is not None
    assert row.group == "g"


def test_owners_on_a_port_are_those_with_an_approved_filing_valid_then() -> None:
    """On any prefix, whatever the SP; pending ones not even where graced."""
    registry = a_registry(
        a_filing("f1", sps=("s9",), valid_until=60),
        a_filing("f2", owner="O2", ports=("10690001", "1068")),
        a_filing("f3", owner="O3", status="pending"),
        pending_grace=True,
    )
    assert registry.owners_on_port("106900017", 50) == ("O1", "O2")
    assert registry.owners_on_port("106900017", 60) == ("O2",)
    assert registry.owners_on_port("10690002", 59) == ("O1",)
    assert registry.owners_on_port("2", 50) == ()
    assert registry.owners_on_port("106900017", 50) == ("O1", "O2")
    registry.put("signatures", "f1", 9, 0, None)
    assert registry.owners_on_port("106900017", 50) == ("O2",)


def test_what_was_looked_up_is_remembered_until_a_registry_changes() -> None:
    """The same object is handed out, for ports and places that can't be told apart too."""
    registry = a_registry(a_filing(provinces=("53",)), a_port())
    generation = registry.generation
    first = registry.standing("甲", None, "10690001", "s1", "cm", "53", 50)
    assert registry.standing("甲", None, "10690001", "s1", "cu", "53", 51) is first
    assert registry.standing("甲", None, "1069777", "s1", "cm", "53", 50) is first
    assert registry.standing("甲", None, "10690001", "s1", "cm", "11", 50) is not first
    registry.put("letters", "l1", 7, 0, a_letter("l1", "s1", "s2"))
    assert registry.generation > generation
    assert registry.standing("甲", None, "10690001", "s1", "cm", "53", 50) is not first


def test_made_up_names_and_ports_share_one_answer() -> None:
    """Codes in brackets and random extensions don't cost a search each; every send keeps its own name."""
    registry = a_registry(a_filing(), a_port())
    for number in range(50):
        standing = registry.standing(f"{number:06}", f"{-number}", f"1069{number}", "s1", None, None, 50)
        assert standing.signature == f"{number:06}"
    assert len(registry._answers._ways) == 1


def test_what_is_remembered_is_bounded() -> None:
    """By the number of askings, and of standings; past either all is looked up anew, nothing wrongly."""
    registry = a_registry(a_filing(carriers=("cm",)), a_port())
    registry._answers = answers = Answers(limit=10)
    for number in range(100):
        assert registry.standing("甲", None, f"1069{number}", "s1", "cm", None, 50).owner == "O1"
        assert len(answers.asked) <= 10
    for number in range(100):
        fits = registry.standing("甲", None, "1069", "s1", f"c{number}", None, 50).fits
        assert fits[0].fails == ("carrier",)
        assert sum(len(cell.by_place) for cell in answers._ways.values()) <= 10


@pytest.mark.parametrize(("kind", "row"), [("sends", a_port()), ("ports", an_owner())])
def test_a_record_of_another_topic_is_refused(kind: str, row: object) -> None:
    """It would be a fault of the caller."""
    with pytest.raises(ValueError, match=kind):
        Registry().put(kind, "x", 0, 0, row)  # type: ignore[arg-type]
