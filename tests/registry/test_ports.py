"""Which row of `sms.ports` holds for a port."""

from __future__ import annotations

from registry_builders import a_port, a_registry


def holding(*rows: object, t: int = 50) -> str | None:
    row = a_registry(*rows).port_row("10690001", t)
    return row.id if row else None


def test_the_longest_valid_prefix_holds() -> None:
    """A longer one that lapsed steps back; one that is no prefix never counts."""
    rows = (
        a_port("p1", port="1069"),
        a_port("p2", port="106900", valid_until=60),
        a_port("p3", port="10691"),
    )
    assert holding(*rows) == "p2"
    assert holding(*rows, t=60) == "p1"


def test_of_equal_prefixes_the_later_valid_from_then_the_greater_id_holds() -> None:
    """Whatever order they were recorded in."""
    later, greater = a_port("p1", valid_from=9), a_port("p3", valid_from=5)
    assert holding(later, greater, a_port("p2", valid_from=5)) == "p1"
    assert holding(a_port("p2", valid_from=5), greater) == "p3"
    assert holding(later, greater, t=7) == "p3"


def test_rows_that_do_not_hold_are_shown_with_the_standing() -> None:
    """Why a port is invalid: it lapsed, or nobody was ever allotted it."""
    lapsed = a_port(valid_until=20)
    registry = a_registry(lapsed)
    standing = registry.standing("甲", None, "10690001", "s1", None, None, 50)
    assert (standing.port, standing.ports, standing.chain) == (None, (lapsed,), None)
    assert registry.standing("甲", None, "1068", "s1", None, None, 50).ports == ()
