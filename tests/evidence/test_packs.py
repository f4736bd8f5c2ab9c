"""Evidence packs: whatever is changed, left out, put in or moved is found, and the first bad record is named."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from evidence_builders import AT, KEY, PUBLIC, a_flag, chained, contents, laid_out, line_of, signed
from hypothesis import given
from hypothesis import strategies as st

from sendwatch.evidence import seal
from sendwatch.evidence.chain import Leaf, leaf_digest, proven
from sendwatch.evidence.pack import Asked, FlagRecord, Run, packed
from sendwatch.evidence.verify import check

if TYPE_CHECKING:
    from pathlib import Path

    from sendwatch.evidence.pack import Contents

SENT = {"id": "s2", "recipient": "00", "at": AT + 60_000}
FIRST = laid_out(
    a_flag("f1"), a_flag("f2", send=SENT), a_flag("f1", 2, status="cleared"), a_flag("f3", rule="G2_SIGNATURE_UNFILED")
)
SECOND = laid_out(a_flag("f4"), a_flag("f5", send=SENT | {"at": AT + 90_000}), partition=1)
PARTITIONS = (FIRST, SECOND)
ONE = Asked(flags=("f1",))
ALL = Asked(rules=("C5_AFTER_OPT_OUT",), since=AT, until=AT + 80_000)
PACK = signed(contents(PARTITIONS, ALL))
LINES = PACK.splitlines(keepends=True)
each_pack = pytest.mark.parametrize("asked", [ONE, ALL, Asked(flags=("f3", "f4"))], ids=["one", "all", "two"])


def wrong(pack: bytes) -> str:
    """The first thing wrong with a pack; empty: it is sound."""
    fault = check(pack, PUBLIC).fault
    return "" if fault is None else str(fault)


def resigned(made: Contents) -> str:
    """What is wrong with what its maker himself has signed."""
    return wrong(signed(made))


def lines_of(asked: Asked = ALL) -> Contents:
    """The pack, as its maker might still tamper with it."""
    return contents(PARTITIONS, asked)


@each_pack
def test_a_pack_as_it_was_made_is_sound(asked: Asked) -> None:
    """Of one flag, of several, of all of a rule in a stretch of time."""
    assert not wrong(signed(contents(PARTITIONS, asked)))


def test_a_pack_of_a_stretch_in_which_there_is_nothing_is_sound() -> None:
    """And proves that there is nothing, also where partitions are empty."""
    nothing = Asked(rules=("C5_AFTER_OPT_OUT",), since=0, until=AT)
    assert not wrong(signed(contents(PARTITIONS, nothing)))
    assert not wrong(signed(contents(((), SECOND), nothing)))


def test_a_pack_holds_no_recipient() -> None:
    """Not even the token."""
    assert b"36159381a40289be" in (FIRST[0].value or b"")
    assert b"recipient" not in PACK
    assert b"36159381a40289be" not in PACK


@given(st.integers(0, len(PACK) - 1), st.integers(1, 255))
def test_a_changed_byte_is_found_and_its_line_named(place: int, change: int) -> None:
    """Any byte, changed in any way; of the statement, whose signature is the second line, the two are named as one."""
    changed = bytearray(PACK)
    changed[place] ^= change
    fault = check(bytes(changed), PUBLIC).fault
    assert fault is not None
    number = PACK[:place].count(b"\n") + 1
    assert fault.line == (1 if number <= 2 else number)


def test_every_single_bit_of_a_pack_counts() -> None:
    """One after the other, all of them."""
    for place in range(len(PACK)):
        changed = bytearray(PACK)
        changed[place] ^= 1 << (place % 8)
        assert wrong(bytes(changed)), place


@given(st.integers(2, len(LINES) - 1))
def test_a_dropped_record_is_found_and_named(place: int) -> None:
    """Also the last one."""
    fault = check(b"".join(LINES[:place] + LINES[place + 1 :]), PUBLIC).fault
    assert fault is not None
    assert (fault.line, fault.wrong) == (place + 1, "it was left out")


@given(st.permutations(range(2, len(LINES))))
def test_moved_records_are_found_and_the_first_named(order: list[int]) -> None:
    """Swapped, or shuffled altogether."""
    found = wrong(b"".join([*LINES[:2], *(LINES[place] for place in order)]))
    moved = [place for place, now in enumerate(order, 2) if place != now]
    assert found.startswith(f"line {moved[0] + 1} ") if moved else not found
    assert "it was moved" in found or not moved


@given(st.integers(2, len(LINES)), st.integers(2, len(LINES) - 1))
def test_a_record_put_in_is_found(place: int, what: int) -> None:
    """One that is there already, in another place too."""
    assert wrong(b"".join([*LINES[:place], LINES[what], *LINES[place:]]))


@given(st.integers(0, len(PACK) - 1))
def test_a_pack_that_is_cut_off_is_no_pack(length: int) -> None:
    """At any byte."""
    assert wrong(PACK[:length])


def test_what_follows_a_pack_is_found() -> None:
    """Be it nothing but an empty line."""
    assert wrong(PACK + b"\n")
    assert wrong(PACK + b"x")


def test_the_first_bad_record_is_named_as_people_know_it() -> None:
    """By topic, partition and offset."""
    place = next(n for n, line in enumerate(LINES) if b'"offset":4' in line)
    assert wrong(b"".join([*LINES[:place], LINES[place].replace(b"cleared", b"raised"), *LINES[place + 1 :]])) == (
        f"line {place + 1} (sms.flags:0:4): it was changed"
    )


def test_a_pack_that_another_signed_is_not_ours() -> None:
    """Whatever it says."""
    other = Ed25519PrivateKey.from_private_bytes(bytes(32))
    forged = packed(lines_of(), seal.key_id(PUBLIC), other.sign)
    assert "its signature on line 2 is not by the key" in wrong(forged)
    assert "it says that it is signed by the key" in str(check(PACK, other.public_key()).fault)


# -- what its maker cannot do either: the roots are of all that there is -----------------------------------------


def test_a_maker_cannot_leave_out_a_revision() -> None:
    """Such as the one that clears the flag."""
    made = lines_of()
    made.lines = [line for line in made.lines if getattr(line, "offset", None) != 4 or line.partition != 0]  # type: ignore[union-attr]
    assert "flag f1): it has 2 records, and 1 are here" in resigned(made)


def test_a_maker_cannot_change_a_record() -> None:
    """The history has its hash."""
    made = lines_of()
    place = next(n for n, line in enumerate(made.lines) if isinstance(line, FlagRecord))
    told = msgspec.json.encode({**a_flag("f1"), "reason": "other"})
    made.lines[place] = line_of(FIRST[0]._replace(value=told))
    assert "its records are not those of its history" in resigned(made)


def test_a_maker_cannot_rewrite_a_history() -> None:
    """Record and leaf changed together fit each other, and not the root."""
    made = lines_of(ONE)
    told = [FIRST[0]._replace(value=msgspec.json.encode({**a_flag("f1"), "reason": "other"})), *FIRST[1:]]
    (leaf,) = (leaf for leaf in chained(told).leaves if leaf.flag_id == "f1")
    made.lines[0] = msgspec.structs.replace(made.lines[0], leaves=(leaf,))
    place = next(n for n, line in enumerate(made.lines) if isinstance(line, FlagRecord))
    made.lines[place] = line_of(told[0])
    assert "line 3 (index 0:0+1): it does not give the root of its partition" in resigned(made)


def test_a_maker_cannot_leave_out_a_flag() -> None:
    """With all its records, its facts and its leaf: the run does not give the root any more."""
    made = lines_of()
    made.lines = [line for line in made.lines if getattr(line, "key", getattr(line, "flag_id", "")) != "f2"]
    assert "flag f2): it has 1 records, and 0 are here" in resigned(made)
    for place, line in enumerate(made.lines):
        if isinstance(line, Run):
            leaves = tuple(leaf for leaf in line.leaves if leaf.flag_id != "f2")
            made.lines[place] = msgspec.structs.replace(line, leaves=leaves)
    assert "index 0:0+2): it" in resigned(made)


def test_a_maker_cannot_end_a_run_early() -> None:
    """A shorter run is a true part of the index, and still not all that was asked for."""
    short = Asked(rules=ALL.rules, since=AT, until=AT + 1)
    made = contents(PARTITIONS, ALL, runs_asked=Asked(flags=("f1", "f2", "f4")))
    assert "no run of its index has all flags of C5_AFTER_OPT_OUT in that time" in resigned(made)
    assert not resigned(contents(PARTITIONS, short))


def test_a_maker_cannot_leave_out_a_partition() -> None:
    """Its root is stated, so its flags are missed."""
    made = lines_of()
    made.lines = [line for line in made.lines if getattr(line, "partition", 0) == 0 and
                  getattr(line, "flag_id", "") != "f4"]  # fmt: skip
    assert "(partition 1): no run of its index has all flags" in resigned(made)


def test_a_maker_cannot_put_in_what_was_not_asked_for() -> None:
    """Every record belongs to a flag that is asked for."""
    made = lines_of(ONE)
    made.lines.append(line_of(FIRST[1]))
    assert "it is of a flag that is not asked for" in resigned(made)


def test_a_flag_that_was_asked_for_cannot_be_passed_over() -> None:
    """By its id."""
    made = lines_of(ONE)
    made.lines = []
    assert "(flag f1): it is asked for and left out" in resigned(made)


def test_facts_cannot_be_left_out() -> None:
    """Each flag has the line of what it rests on."""
    made = lines_of(ONE)
    del made.lines[-1]
    assert "the facts that it rests on are missing" in resigned(made)


def test_a_deleted_flag_keeps_its_history() -> None:
    """A null value is a record like any other."""
    records = laid_out(a_flag("f1"), None)
    assert not resigned(contents((records,), ONE))


leaves = st.lists(st.builds(Leaf, st.sampled_from("ABC"), st.integers(0, 9), st.text("xyz", max_size=3),
                            st.just(1), st.just("00")), unique=True, max_size=40)  # fmt: skip


@given(leaves, st.data())
def test_a_run_gives_the_root_and_no_other_run_does(found: list[Leaf], data: st.DataObject) -> None:
    """Of indexes of any size; moved by one, shortened, or with a leaf changed, it gives another root or none."""
    one = chained([])
    one._order, one._digests = sorted(found), [leaf_digest(leaf) for leaf in sorted(found)]
    size, index = len(found), one.root().index
    begin = data.draw(st.integers(0, max(size - 1, 0)))
    end = data.draw(st.integers(min(begin + 1, size), size))
    run = one._order[begin:end]
    proof = one.proof(begin, end) if run else []
    assert proven(run, begin, size, proof) == index
    if not run:
        return
    changed = [run[0]._replace(head="01"), *run[1:]]
    for others, at in ((run, begin + 1), (run[1:], begin), (run[:-1], begin), (changed, begin)):
        try:
            assert proven(others, at, size, proof) != index
        except ValueError:
            continue


def test_the_chain_tells_the_order_of_all_records() -> None:
    """Two partitions with the same records in another order have other heads, and the same flags."""
    there, back = chained(FIRST).root(), chained([FIRST[1], FIRST[0], *FIRST[2:]]).root()
    assert there.chain != back.chain
    assert there.records == back.records == 4


def test_the_recipient_is_not_hashed() -> None:
    """So that erasing somebody breaks no chain."""
    erased = a_flag("f1", send={**a_flag()["send"], "recipient": None})
    assert chained(laid_out(a_flag("f1"))).root() == chained(laid_out(erased)).root()


# -- keys --------------------------------------------------------------------------------------------------------


def test_keys_are_made_once_and_only_for_their_owner(tmp_path: Path) -> None:
    """They fit each other; nothing is overwritten; the id is that of the public half."""
    private, public = tmp_path / "key", tmp_path / "key.pub"
    name = seal.make_key(private, public)
    assert private.stat().st_mode & 0o777 == 0o600
    key = seal.private_key(private.read_text())
    assert seal.key_id(key.public_key()) == name == seal.key_id(seal.public_key(public.read_bytes()))
    with pytest.raises(FileExistsError):
        seal.make_key(private, public)


@pytest.mark.parametrize("text", ["", "no key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"])
def test_what_is_no_key_is_said_to_be_none(text: str) -> None:
    """Without showing it."""
    with pytest.raises(seal.BadKeyError, match="no Ed25519 private key"):
        seal.private_key(text)
    with pytest.raises(seal.BadKeyError, match="no Ed25519 public key"):
        seal.public_key(text.encode())


def test_a_mark_is_opened_for_one_record_alone() -> None:
    """By its nonce; the same record at another place has another mark, the same text always the same hash."""
    marks = seal.Marks(KEY)
    assert marks.of_record("t:0:1", b"v") == sha256(marks.nonce("t:0:1") + b"v").hexdigest()
    assert marks.of_record("t:0:1", b"v") != marks.of_record("t:0:2", b"v")
    assert marks.of_text("x") == marks.of_text("x") != marks.of_text("y")
