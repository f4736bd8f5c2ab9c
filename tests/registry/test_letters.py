"""Whether letters lead from the port's holder to the SP, and where the chain breaks."""

from __future__ import annotations

from registry_builders import a_letter, a_port, a_registry, an_owner

from sendwatch.registry import Broken, Chain
from sendwatch.registry.letters import LINKS


def chain(*rows: object, sp: str = "s3", head: str | None = "甲", t: int = 50, text_known: bool = True) -> Chain:
    """How s1, the holder of 1069, is linked to `sp`."""
    registry = a_registry(a_port(), *rows)
    found = registry.standing(head, None, "10690001", sp, None, None, t, text_known=text_known).chain
    assert found is not None
    return found


def test_the_holder_itself_needs_no_letter() -> None:
    """Nor does the owner's own SP account, where the owner holds the port, nor the other way round."""
    assert chain(sp="s1") == Chain(True)
    assert chain(an_owner("O1", sp="s1"), sp="O1") == Chain(True)


def test_letters_lead_through_parties_in_between() -> None:
    """The path is named from the holder on, and is the shortest."""
    first, second = a_letter("l1", "s1", "s2"), a_letter("l2", "s2", "s3")
    assert chain(first, second) == Chain(True, ("l1", "l2"))
    assert chain(first, second, a_letter("l3", "s1", "s3")) == Chain(True, ("l3",))
    assert chain(a_letter("l3", "s1", "s3"), a_letter("l0", "s1", "s3")) == Chain(True, ("l0",))


def test_an_owner_and_its_own_sp_account_pass_on_what_the_other_was_granted() -> None:
    """A chain may run through the owner, as letters often do."""
    letters = a_letter("l1", "s1", "O1"), a_letter("l2", "s2", "s3")
    assert chain(*letters).whole is False
    assert chain(*letters, an_owner("O1", sp="s2")).path == ("l1", "l2")


def test_a_letter_holds_at_t_only() -> None:
    """The link is named with what it lacks: it lapsed, or it has not begun."""
    letter = a_letter("l1", "s1", "s3", valid_from=40, valid_until=60)
    assert [chain(letter, t=t).whole for t in (39, 40, 59, 60)] == [False, True, True, False]
    assert chain(letter, t=39).broken == Broken("s1", "s3", "l1", ("not_begun",))
    assert chain(letter, t=60).broken == Broken("s1", "s3", "l1", ("lapsed",))


def test_every_link_must_cover_port_and_signature() -> None:
    """Any prefix of the letter's ports will do; names are compared folded."""
    assert chain(a_letter("l1", "s1", "s3", ports=("1068", "106"), signatures=("Ａ Ｂ",)), head="AB").whole is True
    narrow = a_letter("l2", "s2", "s3", ports=("1068",), signatures=("乙",))
    assert chain(a_letter("l1", "s1", "s2"), narrow).broken == Broken("s2", "s3", "l2", ("port", "signature"))
    assert chain(a_letter("l1", "s1", "s3", ports=())).whole is False
    assert chain(a_letter("l1", "s1", "s3", ports=("10690001",))).whole is True


def test_an_unsigned_text_is_covered_only_by_letters_for_every_signature() -> None:
    """It bears none that a list could hold: that is known, so the chain is decided."""
    assert chain(a_letter("l1", "s1", "s3", signatures=("甲",)), head=None).whole is False
    assert chain(a_letter("l1", "s1", "s3"), head=None).whole is True


def test_an_unread_text_leaves_a_chain_open_that_turns_on_its_signature() -> None:
    """Decided are chains without lists, chains that break anyway, and lists without a name in common."""
    listed = a_letter("l1", "s1", "s2", signatures=("甲", "乙"))
    assert chain(listed, a_letter("l2", "s2", "s3", signatures=("乙",)), text_known=False) == Chain(None)
    assert chain(listed, a_letter("l2", "s2", "s3", valid_until=9), text_known=False).broken == Broken(
        "s2", "s3", "l2", ("lapsed",)
    )
    assert chain(listed, a_letter("l2", "s2", "s3", signatures=("丙",)), text_known=False).broken == Broken(
        "s1", "s2", "l1", ("signature",)
    )
    assert chain(a_letter("l1", "s1", "s3"), text_known=False).whole is True


def test_the_least_repair_is_named() -> None:
    """One lacking letter rather than two, whatever the number of letters; the first from the holder's end."""
    two = a_letter("l1", "s1", "s2", valid_until=9), a_letter("l2", "s2", "s3", valid_until=9)
    assert chain(*two).broken == Broken("s1", "s2", "l1", ("lapsed",))
    one = a_letter("l3", "s1", "s4"), a_letter("l4", "s4", "s5"), a_letter("l5", "s5", "s3", ports=("1068",))
    assert chain(*two, *one).broken == Broken("s5", "s3", "l5", ("port",))
    much = a_letter("l6", "s1", "s3", valid_until=9, ports=("1068",), signatures=("乙",))
    assert chain(*two, much).broken == Broken("s1", "s3", "l6", ("lapsed", "port", "signature"))


def test_a_missing_link_joins_what_the_holder_reaches_to_what_reaches_the_sp() -> None:
    """From the sole party furthest down to the sole one furthest up; else from the holder, or to the SP."""
    assert chain().broken == Broken("s1", "s3")
    down, up = a_letter("l1", "s1", "s2"), a_letter("l2", "s4", "s3")
    assert chain(down, up).broken == Broken("s2", "s4")
    assert chain(down, up, a_letter("l3", "s1", "s5")).broken == Broken("s1", "s4")


def test_cycles_end() -> None:
    """Parties that grant each other reach nobody else."""
    round_and_round = [a_letter(f"l{n}", f"s{n}", f"s{n % 4 + 3}") for n in range(3, 7)]
    assert chain(*round_and_round, a_letter("l0", "s3", "s3")).whole is False


def test_a_chain_of_too_many_links_is_broken() -> None:
    """At the bound it holds, one link past it the last one is named as too much."""
    letters = [a_letter(f"l{n:03}", "s1" if n == 0 else f"x{n}", f"x{n + 1}") for n in range(LINKS + 1)]
    assert chain(*letters, sp=f"x{LINKS}").whole is True
    assert chain(*letters, sp=f"x{LINKS + 1}").broken == Broken(
        f"x{LINKS}", f"x{LINKS + 1}", f"l{LINKS:03}", ("too_long",)
    )


def test_letters_and_owners_recorded_after_the_window_do_not_count() -> None:
    """A letter that comes in time makes the chain whole, one ms later it doesn't."""
    registry = a_registry(a_port())
    registry.put("letters", "l1", 5, 150, a_letter("l1", "s1", "s3"))
    whole = [
        chain.whole
        for t in (49, 50)
        if (chain := registry.standing("甲", None, "1069", "s3", None, None, t).chain) is not None
    ]
    assert whole == [False, True]
