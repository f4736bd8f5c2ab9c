"""The registry and a brute-force reading of the contract agree, whatever the records and their order."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

from hypothesis import event, given, settings
from hypothesis import strategies as st
from registry_builders import a_filing, a_letter, a_port, an_owner
from registry_oracle import TYPES, Asked, Oracle, Record

from sendwatch.registry import Registry, Standing

if TYPE_CHECKING:
    from collections.abc import Callable

WINDOW = 3
TIMES = st.integers(0, 12)
NAMES = ("甲", "乙", "丙")
PREFIXES = ("1", "10", "106", "1069", "1068")
SPS = ("s1", "s2", "s3")
PARTIES = (*SPS, "O1", "O2", "O3")


def some(values: Any, *, at_least: int = 1) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(values), min_size=at_least, max_size=2, unique=True).map(tuple)


def maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | st.none() | values


VALIDITY = {"valid_from": st.integers(0, 6), "valid_until": maybe(st.integers(3, 12))}
FILINGS = st.fixed_dictionaries(
    {
        "signature": st.sampled_from(("甲", "甲", "乙")),
        "owner": st.sampled_from(("O1", "O2")),
        "uses": some(TYPES, at_least=0),
        "ports": some(PREFIXES),
        "sps": maybe(some(SPS, at_least=0)),
        "carriers": maybe(some(("cm", "cu"), at_least=0)),
        "provinces": maybe(some(("11", "53"), at_least=0)),
        "status": st.sampled_from(("approved", "approved", "approved", "approved", "revoked", "pending", "rejected")),
        **VALIDITY,
    }
)
PORTS = st.fixed_dictionaries({"port": st.sampled_from(PREFIXES), "holder": st.sampled_from(PARTIES), **VALIDITY})
LETTERS = st.fixed_dictionaries(
    {
        "grantor": st.sampled_from(PARTIES),
        "grantee": st.sampled_from(PARTIES),
        "signatures": maybe(some(NAMES, at_least=0)),
        "ports": maybe(some(PREFIXES, at_least=0)),
        **VALIDITY,
    }
)
OWNERS = st.fixed_dictionaries({"sp": maybe(st.sampled_from(SPS))})


ROWS = {"signatures": FILINGS, "ports": PORTS, "letters": LETTERS, "owners": OWNERS}
BUILDERS: dict[str, Callable[..., Any]] = {
    "signatures": a_filing,
    "ports": a_port,
    "letters": a_letter,
    "owners": an_owner,
}
IDS = {"signatures": "abcde", "ports": "abc", "letters": "abcdefghijkl", "owners": PARTIES[3:]}


@st.composite
def records(draw: st.DrawFn, kinds: tuple[str, ...] = ("signatures", "letters", *ROWS)) -> list[Record]:
    """Records of these registries; offsets are unique, arrivals are not in their order, some are repeated."""
    found: list[Record] = []
    for number in range(draw(st.integers(4, 20))):
        kind = draw(st.sampled_from(kinds))
        row_id = draw(st.sampled_from(IDS[kind]))
        recorded_in_error = draw(st.integers(0, 9)) == 9
        row = None if recorded_in_error else BUILDERS[kind](row_id, **draw(ROWS[kind]))
        found.append(Record(kind, row_id, number, draw(st.integers(0, 9)), row))
    repeated = draw(st.lists(st.sampled_from(found), max_size=3))
    return draw(st.permutations([*found, *repeated]))


SENDS = st.builds(
    Asked,
    head=st.sampled_from((*NAMES, *NAMES, "丁", "己", None)),
    tail=maybe(st.sampled_from((*NAMES, "戊"))),
    port=st.sampled_from(("1069", "10690001", "1068", "107", "106", "9")),
    sp=st.sampled_from(SPS),
    carrier=st.sampled_from(("cm", "cu", "ct", None)),
    province=st.sampled_from(("11", "53", "31", None)),
    t=TIMES,
    text_known=st.sampled_from((True, True, False)),
)


def put_all(registry: Registry, of: list[Record]) -> None:
    for each in of:
        registry.put(*each)


def ask(registry: Registry, asked: Asked) -> Standing:
    return registry.standing(*asked[:7], text_known=asked.text_known)


def check(standing: Standing, oracle: Oracle) -> None:
    assert standing.since <= oracle.t < standing.until
    assert standing.signature == oracle.signature()
    assert list(standing.filings) == oracle.filings()
    assert list(standing.began) == [f for f in oracle.filings() if f.valid_from <= oracle.t]
    assert list(standing.valid) == [f for f in oracle.filings() if oracle.valid(f)]
    assert standing.owner == oracle.owner()
    assert (standing.owner is None) == bool(standing.owner_reason)
    for kind in (*TYPES, None):
        assert standing.covered(kind) == oracle.covered(kind)
    assert standing.port == oracle.port()
    if standing.port is None:
        assert standing.chain is None
    else:
        assert standing.chain is not None
        assert (standing.chain.whole, len(standing.chain.path)) == oracle.chain()
        assert (standing.chain.broken is not None) == (standing.chain.whole is False)


@settings(max_examples=60, deadline=None)
@given(records(), st.lists(SENDS, min_size=1, max_size=10), st.booleans())
def test_any_records_in_any_order_answer_as_brute_force_does(of: list[Record], sends: list[Asked], grace: bool) -> None:
    """Remembered answers included: sends of one way at many times are asked of one registry, twice."""
    registry = Registry(WINDOW, pending_grace=grace)
    put_all(registry, of)
    many = [each._replace(t=t) for each in sends for t in (each.t, each.t + 1, each.t - 2, 12)]
    for asked in (*many, *many):
        oracle = Oracle(of, asked, WINDOW, pending_grace=grace)
        check(ask(registry, asked), oracle)
        assert set(registry.owners_on_port(asked.port, asked.t)) == oracle.owners_on_port()
        assert registry.port_row(asked.port, asked.t) == oracle.port()


@settings(max_examples=50, deadline=None)
@given(records(kinds=("signatures",)))
def test_unknown_places_and_types_are_decided_only_where_every_one_agrees(of: list[Record]) -> None:
    """Every send of one signature, with each of carrier, province and type known and not known."""
    registry = Registry(WINDOW)
    put_all(registry, of)
    for sp, carrier, province, t in product(SPS[:2], ("cm", None), ("53", None), (4, 8)):
        asked = Asked("甲", None, "1069", sp, carrier, province, t, text_known=True)
        standing = ask(registry, asked)
        check(standing, Oracle(of, asked, WINDOW, pending_grace=False))
        event(f"owner {standing.owner_reason or 'found'}")
        event(f"covered {standing.covered('otp')}")


@settings(max_examples=50, deadline=None)
@given(records(kinds=("letters", "letters", "owners")))
def test_chains_are_found_wherever_brute_force_finds_one(of: list[Record]) -> None:
    """Sends of each SP from a port of the first, with the text at hand and not."""
    registry = Registry(WINDOW)
    of = [Record("ports", "p", 99, 0, a_port("p", port="106", holder="s1")), *of]
    put_all(registry, of)
    for head, sp, t in product((None, "甲"), SPS, (2, 6, 9)):
        asked = Asked(head, None, "1069", sp, None, None, t, text_known=head is not None)
        standing = ask(registry, asked)
        check(standing, Oracle(of, asked, WINDOW, pending_grace=False))
        event(f"chain {standing.chain and (standing.chain.whole, len(standing.chain.path))}")


@settings(max_examples=40, deadline=None)
@given(records(), SENDS, st.data())
def test_order_and_repetition_of_records_never_matter(of: list[Record], asked: Asked, data: st.DataObject) -> None:
    """The same records in another order give the same answer to the last field, asked at each step or not."""
    one, other = Registry(WINDOW), Registry(WINDOW)
    put_all(one, of)
    for record in data.draw(st.permutations(of)):
        other.put(*record)
        ask(other, asked)
    assert ask(one, asked) == ask(other, asked)


@settings(max_examples=50, deadline=None)
@given(records(), SENDS)
def test_a_standing_is_the_same_all_over_its_span(of: list[Record], asked: Asked) -> None:
    """Whatever else is asked for inside the span: only the span itself may differ."""
    registry = Registry(WINDOW)
    put_all(registry, of)
    standing = ask(registry, asked)
    for t in range(max(standing.since, -4), min(standing.until, 16)):
        fresh = Registry(WINDOW)
        put_all(fresh, of)
        again = ask(fresh, asked._replace(t=t))
        fields = [name for name in standing.__struct_fields__ if name not in {"since", "until"}]
        assert [getattr(again, name) for name in fields] == [getattr(standing, name) for name in fields]
