"""The records of a flags partition under hashes: chained in their order, and their flags as a sorted tree.

Belongs here: what is hashed, and the proof that a run of flags is all there is. Pure. Not here: signing (`seal.py`).

    record    sha256 of its place, time and value, the recipient's token left out
    chain     head' = sha256(head, record), over the records of the partition in the order of offsets
    history   the same over the records of one flag alone
    leaf      of one flag: its rule, the time of its send, its id, how many records it has, the head of its history
    index     root of a Merkle tree over the leaves, sorted by rule, time and id

The chain binds every record and its place among all others. The index makes "left out" provable without handing over
the whole partition: the flags of a rule in a stretch of time are a run of neighbouring leaves, and a run with the
leaves on either side of it, and the hashes of what lies beside these, gives the root; so it has all the flags there
are, and each has all its records. A pack grows with what is asked for, and with the logarithm of the rest.
"""

from __future__ import annotations

from bisect import bisect_left
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

BEGIN = bytes(32)
NOTHING = sha256(b"").digest()
RECORD, LINK, LEAF, NODE = b"\x00", b"\x01", b"\x02", b"\x03"
encode = msgspec.json.Encoder().encode


class Leaf(NamedTuple):
    """One flag: the rule and its send's time (ms) as its last record tells them, its id, and its whole history."""

    rule: str
    at: int
    flag_id: str
    records: int
    head: str


class Root(Struct, frozen=True, kw_only=True):
    """What is signed of one partition: records at offsets [`first`, `next`), their chain and the index of flags."""

    partition: int
    first: int
    next: int
    records: int
    flags: int
    chain: str
    index: str


class _Flag(Struct):
    flag_id: str
    rule: str
    send: _Send


class _Send(Struct):
    at: int


read_flag = msgspec.json.Decoder(_Flag).decode


def disclosed(value: bytes | None) -> bytes:
    """A flag's value as a pack holds it and as it is hashed: without the recipient's token."""
    if value is None:
        return b"null"
    told = msgspec.json.decode(value)
    if isinstance(told, dict) and isinstance(told.get("send"), dict):
        told["send"].pop("recipient", None)
    return encode(told)


def record_digest(partition: int, offset: int, timestamp: int, value: bytes) -> bytes:
    """The hash of one record; `value` as `disclosed` gives it."""
    return sha256(RECORD + encode([partition, offset, timestamp]) + b"\n" + value).digest()


def linked(head: bytes, digest: bytes) -> bytes:
    """The head of a chain after one more record."""
    return sha256(LINK + head + digest).digest()


def leaf_digest(leaf: Leaf) -> bytes:
    """The hash of one flag's leaf."""
    return sha256(LEAF + encode(leaf)).digest()


class Chained:
    """One partition of flags, taken in record by record."""

    def __init__(self, partition: int) -> None:
        """Nothing was read yet."""
        self.partition = partition
        self._first = self._next = -1
        self._records = 0
        self._head = BEGIN
        self._flags: dict[str, tuple[str, int, int, bytes]] = {}
        self._order: list[Leaf] | None = None
        self._digests: list[bytes] = []

    def take(self, offset: int, timestamp: int, key: bytes, value: bytes | None) -> None:
        """Take in the next record, in the order of offsets."""
        digest = record_digest(self.partition, offset, timestamp, disclosed(value))
        self._first = offset if self._first < 0 else self._first
        self._next, self._records, self._order = offset + 1, self._records + 1, None
        self._head = linked(self._head, digest)
        flag_id = key.decode(errors="replace")
        rule, at, count, head = self._flags.get(flag_id, ("", 0, 0, BEGIN))
        if value is not None:
            told = read_flag(value)
            rule, at = told.rule, told.send.at
        self._flags[flag_id] = (rule, at, count + 1, linked(head, digest))

    @property
    def leaves(self) -> list[Leaf]:
        """Every flag of the partition, in the order of the index."""
        if self._order is None:
            found = self._flags.items()
            self._order = sorted(Leaf(rule, at, flag_id, n, head.hex()) for flag_id, (rule, at, n, head) in found)
            self._digests = [leaf_digest(leaf) for leaf in self._order]
        return self._order

    def root(self) -> Root:
        """What is to be signed of it."""
        size = len(self.leaves)
        return Root(
            partition=self.partition,
            first=max(self._first, 0),
            next=max(self._next, 0),
            records=self._records,
            flags=size,
            chain=self._head.hex(),
            index=(_hashed(self._digests, 0, size) if size else NOTHING).hex(),
        )

    def between(self, rule: str, since: int, until: int) -> tuple[int, int]:
        """The run of leaves [from, to) of a rule whose sends have `since` <= t < `until`, without its neighbours."""
        return bisect_left(self.leaves, (rule, since)), bisect_left(self.leaves, (rule, until))

    def place(self, flag_id: str) -> int | None:
        """Where a flag stands in the index; None: the partition has no such flag."""
        if (found := self._flags.get(flag_id)) is None:
            return None
        return bisect_left(self.leaves, (found[0], found[1], flag_id))

    def proof(self, begin: int, end: int) -> list[str]:
        """The hashes of what lies beside the leaves [`begin`, `end`), as `proven` wants them."""
        size = len(self.leaves)
        return [each.hex() for each in _beside(self._digests, 0, size, begin, end)]


def proven(leaves: Sequence[Leaf], begin: int, size: int, proof: Sequence[str]) -> str:
    """The root of an index of `size` leaves that has these from the place `begin` on.

    Raises ValueError where the proof has too few hashes or too many, or the leaves do not fit in.
    """
    if size == 0 and not leaves and not proof:
        return NOTHING.hex()
    if not leaves or begin < 0 or begin + len(leaves) > size:
        raise ValueError("the leaves do not fit into the index")
    beside = iter([bytes.fromhex(each) for each in proof])
    own = [leaf_digest(leaf) for leaf in leaves]
    root = _joined(own, begin, beside, 0, size)
    if next(beside, None) is not None:
        raise ValueError("hashes are left over")
    return root.hex()


def _split(low: int, high: int) -> int:
    """Where a tree over [low, high) has its middle: the left half is the greatest power of two below its size."""
    return low + (1 << ((high - low - 1).bit_length() - 1))


def _hashed(digests: Sequence[bytes], low: int, high: int) -> bytes:
    if high - low == 1:
        return digests[low]
    middle = _split(low, high)
    return sha256(NODE + _hashed(digests, low, middle) + _hashed(digests, middle, high)).digest()


def _beside(digests: Sequence[bytes], low: int, high: int, begin: int, end: int) -> Iterator[bytes]:
    """The roots of the greatest subtrees that lie wholly outside [begin, end), from left to right."""
    if low == high:
        return
    if high <= begin or end <= low:
        yield _hashed(digests, low, high)
    elif high - low > 1:
        middle = _split(low, high)
        yield from _beside(digests, low, middle, begin, end)
        yield from _beside(digests, middle, high, begin, end)


def _joined(own: Sequence[bytes], begin: int, beside: Iterator[bytes], low: int, high: int) -> bytes:
    if high <= begin or begin + len(own) <= low:
        found = next(beside, None)
        if found is None:
            raise ValueError("hashes are missing")
        return found
    if high - low == 1:
        return own[low - begin]
    middle = _split(low, high)
    left = _joined(own, begin, beside, low, middle)
    return sha256(NODE + left + _joined(own, begin, beside, middle, high)).digest()
