"""Which filing covers a send, which comes nearest, whose send it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from registry_builders import a_filing, a_registry

if TYPE_CHECKING:
    from sendwatch.registry import Registry, Standing


def ask(registry: Registry, **fields: Any) -> Standing:
    """A send of 甲 by s1 from 10690001, from a known place."""
    asked = {
        "head": "甲",
        "tail": None,
        "port": "10690001",
        "sp": "s1",
        "carrier": "cm",
        "province": "53",
        "t": 50,
    }
    return registry.standing(**(asked | fields))


def test_a_filing_covers_types_below_its_use_and_not_above() -> None:
    """`marketing` covers `marketing.finance`; `marketing.finance` doesn't cover `marketing`."""
    assert ask(a_registry(a_filing(uses=("marketing",)))).covered("marketing.finance") is True
    assert ask(a_registry(a_filing(uses=("marketing.finance",)))).covered("marketing") is False
    assert ask(a_registry(a_filing(uses=("marketing",)))).covered("marketings") is False


def test_one_filing_must_cover_everything_together() -> None:
    """Two filings that each cover a half cover nothing."""
    registry = a_registry(a_filing("f1", ports=("1068",)), a_filing("f2", sps=("s2",)))
    assert ask(registry).covered("marketing") is False


@pytest.mark.parametrize("limit", [{"ports": ()}, {"sps": ()}, {"carriers": ()}, {"provinces": ()}, {"uses": ()}])
def test_an_empty_list_allows_nothing(limit: dict[str, Any]) -> None:
    """Not even for a send whose place is not known."""
    assert ask(a_registry(a_filing(**limit)), carrier=None, province=None).covered("marketing") is False


def test_an_unknown_type_is_covered_only_where_every_type_is() -> None:
    """Otherwise it is open, and settled against the send only where nothing could cover it."""
    assert ask(a_registry(a_filing(uses=("otp", "service", "marketing")))).covered(None) is True
    assert ask(a_registry(a_filing(uses=("otp",)))).covered(None) is None
    assert ask(a_registry(a_filing(ports=("1068",)))).covered(None) is False


def test_an_unknown_carrier_leaves_a_limited_filing_open() -> None:
    """Unless another filing covers the send anyway, or this one fails by something known."""
    limited = a_filing("f1", carriers=("cm",))
    assert ask(a_registry(limited), carrier=None).covered("marketing") is None
    assert ask(a_registry(limited, a_filing("f2")), carrier=None).covered("marketing") is True
    assert ask(a_registry(limited), carrier=None).covered("otp") is False


def test_the_nearest_filing_fails_in_the_fewest_dimensions() -> None:
    """Then the longest port counts, then the lesser id; what fails is named."""
    worse = a_filing("f1", sps=("s2",), carriers=("cu",))
    shorter = a_filing("f2", sps=("s2",), ports=("1069",))
    longer = a_filing("f4", sps=("s2",), ports=("10", "106900", "1068"))
    same = a_filing("f3", provinces=("11",), ports=("106900",))
    near = ask(a_registry(worse, shorter, longer, same)).nearest("marketing")
    assert near is not None
    assert (near.filing.id, near.prefix, near.fails) == ("f3", "106900", ("province",))
    near = ask(a_registry(worse)).nearest("otp")
    assert near is not None
    assert near.fails == ("sp", "carrier", "type")
    assert ask(a_registry()).nearest("otp") is None


def test_what_fails_and_what_is_unknown_are_told_apart() -> None:
    """A send of unknown carrier doesn't fail a filing that limits carriers."""
    registry = a_registry(a_filing(ports=("1068",), carriers=("cu",), provinces=("11",)))
    near = ask(registry, carrier=None).nearest(None)
    assert near is not None
    assert (near.fails, near.unknown) == (("port", "province"), ("carrier", "type"))


def test_owner_is_named_by_the_filings_that_match_the_send() -> None:
    """First step: other filings of the signature don't matter then."""
    standing = ask(a_registry(a_filing("f1"), a_filing("f2", owner="O2", sps=("s2",))))
    assert (standing.owner, standing.owner_reason) == ("O1", "")


def test_owner_is_named_by_the_signature_where_nothing_matches() -> None:
    """Second step: any valid filing of it, if they name one owner."""
    elsewhere = a_filing("f1", ports=("1068",))
    assert ask(a_registry(elsewhere)).owner == "O1"
    standing = ask(a_registry(elsewhere, a_filing("f2", owner="O2", sps=("s2",))))
    assert (standing.owner, standing.owner_reason) == (None, "several_owners")


def test_owner_is_named_by_port_and_sp_where_the_signature_is_not_filed() -> None:
    """Third step, for an unsigned and an unfiled text: carrier and province don't matter there."""
    registry = a_registry(a_filing(sps=("s1",), carriers=("cu",)))
    assert ask(registry, head=None).owner == "O1"
    assert ask(registry, head="乙").owner == "O1"
    assert ask(registry, head=None, sp="s2").owner_reason == "no_filing"
    registry = a_registry(a_filing("f1", sps=("s1",)), a_filing("f2", owner="O2", signature="丙"))
    assert ask(registry, head=None).owner_reason == "several_owners"


def test_owner_of_an_unread_text_is_looked_for_from_the_third_step_on() -> None:
    """Whatever candidates are handed in."""
    registry = a_registry(a_filing("f1", ports=("1068",)), a_filing("f2", signature="乙", owner="O2"))
    assert ask(registry).owner == "O1"
    standing = ask(registry, text_known=False)
    assert (standing.owner, standing.signature, standing.filings) == ("O2", None, ())


def test_a_revoked_filing_names_the_owner_until_it_ends_and_a_pending_one_never() -> None:
    """A grace for pending filings is about G2 to G4, not about whose send it is."""
    revoked = a_filing(status="revoked", valid_until=60)
    assert ask(a_registry(revoked), t=59).owner == "O1"
    assert ask(a_registry(revoked), t=60).owner is None
    standing = ask(a_registry(a_filing(status="pending"), pending_grace=True))
    assert (standing.owner, standing.owner_reason, standing.covered("marketing")) == (None, "no_filing", True)


def test_owner_that_turns_on_an_unknown_place_is_undecided() -> None:
    """The reason names what would have to be known."""
    registry = a_registry(a_filing("f1", carriers=("cm",)), a_filing("f2", owner="O2", carriers=("cu",)))
    assert ask(registry, carrier=None).owner_reason == "carrier_unknown"
    assert ask(registry, carrier="cm", province=None).owner == "O1"
    registry = a_registry(a_filing("f1", provinces=("53",)), a_filing("f2", owner="O2", provinces=("11",)))
    assert ask(registry, province=None).owner_reason == "province_unknown"


def test_owner_is_decided_where_every_place_names_the_same() -> None:
    """Limited filings of one owner leave nothing open."""
    registry = a_registry(a_filing("f1", carriers=("cm",)), a_filing("f2", carriers=("cu",), provinces=("11",)))
    assert ask(registry, carrier=None, province=None).owner == "O1"


def test_pending_filings_are_shown_apart() -> None:
    """They are neither begun nor valid unless graced."""
    pending = a_filing(status="pending")
    standing = ask(a_registry(pending))
    assert (standing.filings, standing.valid, standing.unapproved) == ((), (), (pending,))
    standing = ask(a_registry(pending, pending_grace=True))
    assert (standing.filings, standing.valid, standing.unapproved) == ((pending,), (pending,), ())


def test_filings_are_told_apart_by_when_they_hold() -> None:
    """Not begun (G2), begun and lapsed (G3), valid; the edges as the contract has them."""
    registry = a_registry(a_filing(valid_from=40, valid_until=60))
    found = [(len(s.filings), len(s.began), len(s.valid)) for s in (ask(registry, t=t) for t in (39, 40, 59, 60))]
    assert found == [(1, 0, 0), (1, 1, 1), (1, 1, 1), (1, 1, 0)]
