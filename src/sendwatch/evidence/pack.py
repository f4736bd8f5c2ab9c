"""A pack as lines: the statement, its signature, and what it states.

Belongs here: the shape of every line, and putting them together. Pure. Not here: collecting what goes in
(`collect.py`), checking (`verify.py`).

    line 1   the statement: what was asked, the root of every partition, name and sha256 of every line that follows
    line 2   its signature
    index    a run of leaves of a partition's index, with its neighbours, and the proof that it is one
    flag     a record of `sms.flags`, all revisions of each flag asked for, in the order of offsets
    facts    what one flag rests on, by field and place, and the entry of the books that accounts for its send
    law      a law pack that one of the flags rests on
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, TypeAlias

import msgspec
from msgspec import Struct, field

from sendwatch.evidence.chain import Leaf, Root  # noqa: TC001  msgspec reads the annotations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sendwatch.evidence.chain import Chained

FORMAT = "sendwatch.evidence.v1"


class Asked(Struct, frozen=True, kw_only=True):
    """What a pack is about: flags by id, or all flags of `rules` whose sends have `since` <= t < `until` (ms)."""

    flags: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    since: int = 0
    until: int = 0

    def takes(self, leaf: Leaf) -> bool:
        """Whether a flag is asked for."""
        return leaf.flag_id in self.flags or (leaf.rule in self.rules and self.since <= leaf.at < self.until)


class Statement(Struct, frozen=True, kw_only=True):
    """What is signed. `key`: the id of the public key. `lines`: name and sha256 of each line from the third on."""

    format: str
    made_at: int
    sendwatch: str
    key: str
    asked: Asked
    topic: str
    roots: tuple[Root, ...]
    lines: tuple[tuple[str, str], ...]


class Signature(Struct, frozen=True, kw_only=True):
    """The second line; hex."""

    ed25519: str


class Run(Struct, frozen=True, kw_only=True, tag_field="line", tag="index"):
    """Leaves of a partition's index from the place `begin` on, and the hashes of what lies beside them."""

    partition: int
    begin: int
    leaves: tuple[Leaf, ...]
    proof: tuple[str, ...]

    @property
    def name(self) -> str:
        """What the line is called."""
        return f"index {self.partition}:{self.begin}+{len(self.leaves)}"


class FlagRecord(Struct, frozen=True, kw_only=True, tag_field="line", tag="flag"):
    """A record of the flags topic; the value as `chain.disclosed` gives it, byte for byte."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: str
    value: msgspec.Raw

    @property
    def name(self) -> str:
        """What the line is called."""
        return f"{self.topic}:{self.partition}:{self.offset}"


class Fact(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A record that an answer rests on.

    `fields`: what it says, texts as keyed hashes (`{"keyed": …}`), the recipient left out. `used`: the flag names it;
    the others were there to be looked at, and count. `sha256`: of a registry's record itself; `marked`: of any other,
    under a nonce of its own (`seal.Marks`), since it tells of a person.
    """

    kind: str
    topic: str
    partition: int
    offset: int
    timestamp: int
    arrived_at: int
    used: bool
    fields: dict[str, object]
    sha256: str = ""
    marked: str = ""


class Entry(Struct, frozen=True, kw_only=True):
    """The ledger record that accounts for the send: the commit of its first verdict; sends [`first`, `next`)."""

    topic: str
    partition: int
    offset: int
    sha256: str
    epoch: int
    version: dict[str, str]
    first: int
    next: int


class Facts(Struct, frozen=True, kw_only=True, tag_field="line", tag="facts"):
    """What one flag rests on. `read`: by topic, the offsets [first, next) that were looked through for it."""

    flag_id: str
    read: dict[str, tuple[int, int]]
    facts: tuple[Fact, ...]
    entry: Entry | None

    @property
    def name(self) -> str:
        """What the line is called."""
        return f"facts {self.flag_id}"


class LawLine(Struct, frozen=True, kw_only=True, tag_field="line", tag="law"):
    """A law pack: what it is, from when to when it is in force (ms), and whether a person has checked its clauses."""

    pack: str
    title: dict[str, str]
    since: int
    until: int | None
    checked_by_person: bool
    clauses: dict[str, str]

    @property
    def name(self) -> str:
        """What the line is called."""
        return f"law {self.pack}"


Line: TypeAlias = Run | FlagRecord | Facts | LawLine
encode = msgspec.json.Encoder().encode
read_line: msgspec.json.Decoder[Line] = msgspec.json.Decoder(Line)


class Contents(Struct):
    """What goes into a pack, before it is signed."""

    made_at: int
    sendwatch: str
    asked: Asked
    topic: str
    roots: Sequence[Root]
    lines: list[Line] = field(default_factory=list)


def runs(partitions: Iterable[Chained], asked: Asked) -> list[Run]:
    """The runs of every partition's index that hold what is asked for, and its neighbours.

    Of a rule and a stretch of time there is one run in each partition, be it only the two leaves between which there
    is nothing.
    """
    found = []
    for chained in partitions:
        size = len(chained.leaves)
        spans = [(place, place + 1) for each in asked.flags if (place := chained.place(each)) is not None]
        spans = sorted(set(spans))
        for rule in asked.rules:
            begin, end = chained.between(rule, asked.since, asked.until)
            spans.append((max(begin - 1, 0), min(end + 1, size)))
        for begin, end in spans:
            leaves = tuple(chained.leaves[begin:end])
            proof = tuple(chained.proof(begin, end)) if leaves else ()
            found.append(Run(partition=chained.partition, begin=begin, leaves=leaves, proof=proof))
    return found


def packed(contents: Contents, key: str, sign: Callable[[bytes], bytes]) -> bytes:
    """The pack, signed by `sign`, whose public key has the id `key`."""
    rest = [encode(line) for line in contents.lines]
    names = [line.name for line in contents.lines]
    statement = Statement(
        format=FORMAT,
        made_at=contents.made_at,
        sendwatch=contents.sendwatch,
        key=key,
        asked=contents.asked,
        topic=contents.topic,
        roots=tuple(contents.roots),
        lines=tuple((name, sha256(line).hexdigest()) for name, line in zip(names, rest, strict=True)),
    )
    first = encode(statement)
    second = encode(Signature(ed25519=sign(first).hex()))
    return b"".join(line + b"\n" for line in (first, second, *rest))
