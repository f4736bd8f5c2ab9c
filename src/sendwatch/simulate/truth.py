"""What the simulator knows: messages as they go out, and the flags and quarantine records that must come of
them.

Nothing here reads a text or a table to find an answer: whoever plants a thing says what follows from it.
"""

from __future__ import annotations

from collections import Counter
from hashlib import sha256
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

C1: Final = "C1_CONSENT_MISSING"
C2: Final = "C2_CONSENT_NOT_EXPLICIT"
C3: Final = "C3_PROOF_MISSING"
C4: Final = "C4_CONSENT_EXCEEDED"
C5: Final = "C5_AFTER_OPT_OUT"
C6: Final = "C6_RENAMED_AFTER_OPT_OUT"
C7: Final = "C7_ASKED_AGAIN"
C8: Final = "C8_NO_OPT_OUT_TEXT"
C9: Final = "C9_OPT_OUT_IGNORED"
G1: Final = "G1_SIGNATURE_MISSING"
G2: Final = "G2_SIGNATURE_UNFILED"
G3: Final = "G3_SIGNATURE_LAPSED"
G4: Final = "G4_SIGNATURE_OUT_OF_SCOPE"
G5: Final = "G5_SUBLEASE"
G6: Final = "G6_PURPOSE_MIX"
G7: Final = "G7_TEMPLATE_DRIFT"
G8: Final = "G8_PORT_INVALID"
B1: Final = "B1_QUIET_HOURS"
B2: Final = "B2_FREQUENCY"
B7: Final = "B7_DIVERSION"

NONE: Final[frozenset[str]] = frozenset()
CONSENT_RULES: Final = frozenset({C1, C2, C3, C4, C5, C6, C9, B2})
"""Undecided, hence never flagged, where the owner is undecided."""

MINUTE: Final = 60_000
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
UTC8: Final = 8 * HOUR


class Message(msgspec.Struct, frozen=True, gc=False):
    """One Kafka record to be: `kind` names the topic, `timestamp` is milliseconds, `partition` is set only
    where a record is put on the wrong one on purpose (else the key decides).
    """

    kind: str
    key: bytes | None
    value: bytes | None
    timestamp: int
    partition: int | None = None


class Refused(NamedTuple):
    """What the quarantine must say of one malformed record; a record without value has the digest of
    nothing.
    """

    kind: str
    reason: str
    sha256: str
    size: int


class Refusal(NamedTuple):
    """A message that must be refused, and why."""

    message: Message
    reason: str


class Course(msgspec.Struct, frozen=True, gc=False):
    """Flags that follow from a planted state, which may change once: `first` before `turns_at`, `then` from
    it.
    """

    first: frozenset[str] = NONE
    turns_at: int | None = None
    then: frozenset[str] = NONE

    def at(self, t: int) -> frozenset[str]:
        return self.first if self.turns_at is None or t < self.turns_at else self.then


CLEAN: Final = Course()


class Truth:
    """What must be found. `flags` has only flagged sends (send ids are unique in a story, whoever receives
    them); `planted` counts plans by name, `counts` the kinds of messages that went out.
    """

    def __init__(self) -> None:
        self.flags: dict[tuple[str, str], frozenset[str]] = {}
        self.quarantine: Counter[Refused] = Counter()
        self.planted: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()

    def by_rule(self) -> Counter[str]:
        return Counter(rule for rules in self.flags.values() for rule in rules)

    def within(self, rules: Collection[str]) -> dict[tuple[str, str], frozenset[str]]:
        """The flags that those rules alone would raise."""
        kept = ((key, flags.intersection(rules)) for key, flags in self.flags.items())
        return {key: flags for key, flags in kept if flags}

    def together(self, other: Truth) -> Truth:
        """The truth about two parts of a story."""
        both = Truth()
        both.flags = self.flags | other.flags
        both.quarantine = self.quarantine + other.quarantine
        both.planted = self.planted + other.planted
        both.counts = self.counts + other.counts
        return both

    def refuse(self, message: Message, reason: str) -> None:
        value = message.value or b""
        self.quarantine[Refused(message.kind, reason, sha256(value).hexdigest(), len(value))] += 1


def quiet(t: int) -> bool:
    """Whether `t` lies in the quiet hours of the practice pack, [22:00, 08:00) in UTC+8."""
    return not 8 * HOUR <= (t + UTC8) % DAY < 22 * HOUR


def compare(
    truth: Mapping[tuple[str, str], frozenset[str]], found: Mapping[tuple[str, str], frozenset[str]]
) -> tuple[Counter[str], Counter[str]]:
    """Missed and extra flags by rule, of flags by (recipient, send id)."""
    missed: Counter[str] = Counter()
    extra: Counter[str] = Counter()
    for key in truth.keys() | found.keys():
        there, here = truth.get(key, NONE), found.get(key, NONE)
        missed.update(there - here)
        extra.update(here - there)
    return missed, extra
