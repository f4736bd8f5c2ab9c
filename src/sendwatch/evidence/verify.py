"""What is wrong with a pack, by the pack and the public key alone.

Belongs here: every check, and which line is the first bad one. Pure but for the signature's arithmetic. Not here: keys
(`seal.py`), files.

    the statement is signed by the key            else nothing that it says can be trusted
    every line is the one that it names           else that line was changed, left out, put in, or moved
    every run of leaves gives the signed root     else the statement's maker left a flag out, or put one in
    every flag of a run has its whole history     else the maker left a revision out

The last two hold the pack against the roots of the partitions, so that not even who signs can leave out of a pack what
he had signed the partition with.
"""

from __future__ import annotations

from collections import defaultdict
from hashlib import sha256
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from sendwatch.evidence import seal
from sendwatch.evidence.chain import BEGIN, Leaf, linked, proven, read_flag, record_digest
from sendwatch.evidence.pack import FORMAT, Facts, FlagRecord, Run, Signature, Statement, encode, read_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from sendwatch.evidence.chain import Root
    from sendwatch.evidence.pack import Line


class Fault(Struct, frozen=True):
    """One thing that is wrong: the number of the line (from 1; 0: of none), what the line is, and what is wrong."""

    line: int
    name: str
    wrong: str

    def __str__(self) -> str:
        place = f"line {self.line}" if self.line else "the pack"
        return f"{place} ({self.name}): {self.wrong}"


class Checked(Struct):
    """What a sound pack holds, and the first thing wrong with one that is not."""

    statement: Statement | None = None
    lines: list[Line] = msgspec.field(default_factory=list)
    fault: Fault | None = None


def check(pack: bytes, key: Ed25519PublicKey) -> Checked:
    """Look for the first bad line of a pack."""
    checked = Checked()
    checked.fault = next(_faults(pack, key, checked), None)
    return checked


def _faults(pack: bytes, key: Ed25519PublicKey, checked: Checked) -> Iterator[Fault]:
    lines = pack.split(b"\n")
    if len(lines) < 3:
        yield Fault(1, "statement", "this is no evidence pack: it has no statement and no signature")
        return
    ended = lines.pop() == b""
    statement = _statement(lines[0])
    if statement is None:
        yield Fault(1, "statement", "it was changed, or this is no evidence pack")
        return
    if not _signed(lines[0], lines[1], key):
        theirs = "" if statement.key == seal.key_id(key) else f"; it says that it is signed by the key {statement.key}"
        yield Fault(1, "statement", f"its signature on line 2 is not by the key {seal.key_id(key)}{theirs}")
        return
    checked.statement = statement
    yield from _listed(statement, lines[2:])
    if not ended:
        yield Fault(len(lines), "end", "bytes follow the last line, or its end is missing")
    for number, line in enumerate(lines[2:], 3):
        try:
            checked.lines.append(read_line.decode(line))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            yield Fault(number, statement.lines[number - 3][0], "it is none of the lines that a pack has")
    yield from _held(statement, checked.lines)


def _statement(line: bytes) -> Statement | None:
    try:
        statement = msgspec.json.decode(line, type=Statement)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return statement if statement.format == FORMAT else None


def _signed(first: bytes, second: bytes, key: Ed25519PublicKey) -> bool:
    """Whether the second line is a signature of the first, in the one way in which it is written."""
    try:
        told = msgspec.json.decode(second, type=Signature)
        raw = bytes.fromhex(told.ed25519)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError, RecursionError):
        return False
    return encode(Signature(ed25519=raw.hex())) == second and seal.is_signed(key, raw, first)


def _listed(statement: Statement, lines: Sequence[bytes]) -> Iterator[Fault]:
    """Lines that are not the ones stated, the first first."""
    stated = {digest: place for place, (_, digest) in enumerate(statement.lines)}
    digests = [sha256(line).hexdigest() for line in lines]
    at_hand = set(digests)
    for place, (name, digest) in enumerate(statement.lines):
        found = digests[place] if place < len(digests) else None
        if found == digest:
            continue
        if digest in at_hand:
            yield Fault(place + 3, name, f"it was moved: it stands on line {digests.index(digest) + 3}")
        elif found is None or found in stated:
            yield Fault(place + 3, name, "it was left out")
        else:
            yield Fault(place + 3, name, "it was changed")
    if len(lines) > len(statement.lines):
        yield Fault(len(statement.lines) + 3, "more", "it was put in: the statement does not name it")


def _held(statement: Statement, lines: Sequence[Line]) -> Iterator[Fault]:
    """What contradicts the roots."""
    roots = {root.partition: root for root in statement.roots}
    numbers = {id(line): number for number, line in enumerate(lines, 3)}
    runs = [line for line in lines if isinstance(line, Run)]
    wanted: dict[tuple[int, str], Leaf] = {}
    for run in runs:
        if wrong := _run(run, roots):
            yield Fault(numbers[id(run)], run.name, wrong)
        wanted |= {(run.partition, leaf.flag_id): leaf for leaf in run.leaves if statement.asked.takes(leaf)}
    yield from _complete(statement, runs, roots, wanted)
    histories: dict[tuple[int, str], list[FlagRecord]] = defaultdict(list)
    for line in lines:
        if isinstance(line, FlagRecord):
            before = histories[line.partition, line.key]
            if wrong := _record(line, roots, wanted, before):
                yield Fault(numbers[id(line)], line.name, wrong)
            before.append(line)
    told = {line.flag_id for line in lines if isinstance(line, Facts)}
    for (partition, flag_id), leaf in wanted.items():
        history = histories[partition, flag_id]
        last = numbers[id(history[-1])] if history else 0
        if wrong := _history(leaf, history):
            yield Fault(last, f"flag {flag_id}", wrong)
        if flag_id not in told:
            yield Fault(last, f"flag {flag_id}", "the facts that it rests on are missing")


def _run(run: Run, roots: Mapping[int, Root]) -> str | None:
    root = roots.get(run.partition)
    if root is None:
        return f"no root of partition {run.partition} is stated"
    if list(run.leaves) != sorted(set(run.leaves)):
        return "its flags are not in their order"
    try:
        found = proven(run.leaves, run.begin, root.flags, run.proof)
    except ValueError as error:
        return f"it is no part of the index: {error}"
    return None if found == root.index else "it does not give the root of its partition"


def _complete(
    statement: Statement, runs: Sequence[Run], roots: Mapping[int, Root], wanted: Mapping[tuple[int, str], Leaf]
) -> Iterator[Fault]:
    """Whether all that is asked for is there: every flag by its id, every partition's stretch of every rule."""
    asked = statement.asked
    for flag_id in asked.flags:
        if not any(flag_id == known for _, known in wanted):
            yield Fault(0, f"flag {flag_id}", "it is asked for and left out")
    for rule in asked.rules:
        for partition, root in roots.items():
            if not any(_spans(run, root, rule, asked.since, asked.until) for run in runs if run.partition == partition):
                yield Fault(0, f"partition {partition}", f"no run of its index has all flags of {rule} in that time")


def _spans(run: Run, root: Root, rule: str, since: int, until: int) -> bool:
    """Whether a run reaches from a leaf before the stretch, or the first of all, to one behind it, or the last."""
    if root.flags == 0:
        return True
    if not run.leaves:
        return False
    first, last = run.leaves[0], run.leaves[-1]
    begins = run.begin == 0 or (first.rule, first.at) < (rule, since)
    ends = run.begin + len(run.leaves) == root.flags or (last.rule, last.at) >= (rule, until)
    return begins and ends


def _record(
    line: FlagRecord,
    roots: Mapping[int, Root],
    wanted: Mapping[tuple[int, str], Leaf],
    before: Sequence[FlagRecord],
) -> str | None:
    root = roots.get(line.partition)
    if (line.partition, line.key) not in wanted or root is None:
        return "it is of a flag that is not asked for"
    if not root.first <= line.offset < root.next:
        return "it lies outside of what the root is of"
    if before and line.offset <= before[-1].offset:
        return "it is not in the order of offsets"
    value = bytes(line.value)
    try:
        if value != b"null" and read_flag(value).flag_id != line.key:
            return "it is another flag's"
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return "it is no flag"
    return None


def _history(leaf: Leaf, history: Sequence[FlagRecord]) -> str | None:
    head = BEGIN
    for line in history:
        head = linked(head, record_digest(line.partition, line.offset, line.timestamp, bytes(line.value)))
    if len(history) != leaf.records:
        return f"it has {leaf.records} records, and {len(history)} are here"
    return None if head.hex() == leaf.head else "its records are not those of its history"
