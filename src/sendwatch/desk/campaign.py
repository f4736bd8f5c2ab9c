"""A campaign before it is sent (事前审核): as questions by partition, and what the findings amount to.

Belongs here: reading a campaign, and adding findings up. Not here: who is asked (`check.py`). Pure.

What nobody who knows a recipient could answer is `unknown` unless the send itself is flagged: never clean.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from msgspec import Struct, field

from sendwatch.desk.ask import PlannedRecipient
from sendwatch.desk.say_check import Checked, CheckedRule, CheckFlag, CheckSum, CheckUndecided
from sendwatch.engine.planned import MOST, Found, Lookup, Planned
from sendwatch.partitions import partitions_of
from sendwatch.text import read
from sendwatch.verdict import Words
from sendwatch.wording import reason_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from sendwatch.desk.ask import Campaign
    from sendwatch.desk.named import Named
    from sendwatch.desk.say import By
    from sendwatch.desk.say_check import Outcome

LONGEST = {"flagged": 1000, "all": 10_000, "none": 0}


class Questions(Struct, frozen=True):
    """A campaign by partition, in pieces that a worker answers at once. `recipients` by number, as they came."""

    lookups: list[Lookup]
    recipients: list[str]
    probe: Lookup


def questions(campaign: Campaign, partitions: int, now: int, nobody: str) -> Questions:
    """The questions that a campaign amounts to; `nobody`: a recipient of the right form, for the send alone."""
    send, texts = campaign.send, dict[str | None, int]()
    common = _signed(send.text, send.signature)
    at = send.planned_at if send.planned_at is not None else now
    texts[common] = 0
    planned: list[Planned] = []
    for number, each in enumerate(campaign.recipients):
        own = each if isinstance(each, PlannedRecipient) else PlannedRecipient(each)
        text = _signed(own.text, send.signature) if own.text is not None else common
        planned.append(
            Planned(
                number,
                own.recipient,
                texts.setdefault(text, len(texts)),
                own.carrier or send.carrier,
                own.province or send.province,
                own.planned_at if own.planned_at is not None else at,
            )
        )
    alone = Planned(0, nobody, 0, send.carrier, send.province, at)
    probe = Lookup(0, send.sp, send.port, send.category, send.template, [common], [alone])
    lookups = list(_pieces(probe, planned, list(texts), partitions))
    return Questions(lookups, [each.recipient for each in planned], probe)


def _pieces(
    probe: Lookup, planned: Sequence[Planned], texts: Sequence[str | None], partitions: int
) -> Iterator[Lookup]:
    """By partition, so many at once; each piece with the texts that it needs."""
    shares: dict[int, list[Planned]] = {}
    numbers = partitions_of([each.recipient.encode() for each in planned], partitions) if planned else []
    for number, each in zip(numbers, planned, strict=True):
        shares.setdefault(number, []).append(each)
    for number, share in sorted(shares.items()):
        for some in _cut(sorted(share, key=lambda each: (each.recipient, each.n))):
            places = {old: new for new, old in enumerate(sorted({each.text for each in some}))}
            yield Lookup(
                number,
                probe.sp,
                probe.port,
                probe.category,
                probe.template,
                [texts[old] for old in places],
                [Planned(e.n, e.recipient, places[e.text], e.carrier, e.province, e.at) for e in some],
            )


def _cut(share: list[Planned]) -> Iterator[list[Planned]]:
    """Pieces of at most so many; what is planned for one recipient counts for each other, so it stays together."""
    while share:
        end = min(MOST, len(share))
        if end < len(share) and share[end].recipient != share[0].recipient:
            while share[end - 1].recipient == share[end].recipient:
                end -= 1
        yield share[:end]
        share = share[end:]


def _signed(text: str | None, signature: str | None) -> str | None:
    """The text with the signature before it, where it has none."""
    if text is None or signature is None:
        return text
    reading = read(text)
    return text if reading.head or reading.tail else f"【{signature.strip('【】[]')}】{text}"


class Tally(Struct):
    """What was found so far; `most`: how many recipients are told one by one."""

    names: Named
    token: Callable[[str], str]
    recipients: Sequence[str]
    details: str
    by: Counter[str] = field(default_factory=lambda: Counter({"worker": 0, "desk": 0, "topics": 0}))
    verdicts: Counter[str] = field(default_factory=Counter)
    flagged: Counter[str] = field(default_factory=Counter)
    undecided: dict[str, Counter[str]] = field(default_factory=dict)
    unknown: int = 0
    left_out: int = 0
    told: list[Checked] = field(default_factory=list)
    whys: Counter[str] = field(default_factory=Counter)

    def add(self, found: Sequence[Found], by: By, why: str | None = None) -> None:
        """Add findings; `why`: what kept those who know the recipients from answering, where they did not."""
        for each in found:
            verdict = _verdict(each, why)
            self.by[by] += 1
            self.verdicts[verdict] += 1
            self.unknown += why is not None and each.refused is None
            if why is not None:
                self.whys[why] += 1
            for flag in each.flags:
                self.flagged[flag.rule] += 1
            for rule, reason in each.undecided.items():
                self.undecided.setdefault(rule, Counter())[reason] += 1
            self._tell(each, verdict, by, why)

    def _tell(self, each: Found, verdict: Outcome, by: By, why: str | None) -> None:
        if verdict == "clean" and self.details != "all":
            return
        if len(self.told) >= LONGEST[self.details]:
            self.left_out += 1
            return
        names = self.names
        flags = [
            CheckFlag(
                flag.rule,
                names.title(flag.rule),
                flag.severity,
                flag.shadow,
                Words(flag.reason.en, flag.reason.zh),
                flag.evidence,
                flag.law,
            )
            for flag in each.flags
        ]
        undecided = [CheckUndecided(rule, reason, reason_words(reason)) for rule, reason in each.undecided.items()]
        refused = each.refused is not None
        token = None if refused else self.token(self.recipients[each.n])
        known_by = None if refused else by
        self.told.append(Checked(each.n, token, verdict, known_by, flags, undecided, each.refused or why))

    @property
    def sum(self) -> CheckSum:
        """Recipients by verdict."""
        return CheckSum(**self.verdicts)

    @property
    def complete(self) -> bool:
        """Whether of every recipient somebody who knows it answered."""
        return not self.unknown

    def rules(self, of_recipient: frozenset[str]) -> list[CheckedRule]:
        """Rule by rule, those of which something is to be told; `of_recipient`: those that need its history."""
        found: list[CheckedRule] = []
        for rule in self.names.rules.values():
            unknown = self.unknown if rule.id in of_recipient else 0
            undecided: Mapping[str, int] = self.undecided.get(rule.id, {})
            if self.flagged[rule.id] or undecided or unknown:
                counts = (self.flagged[rule.id], dict(undecided), unknown)
                found.append(CheckedRule(rule.id, rule.title, rule.severity, *counts))
        return sorted(found, key=lambda each: (-each.flagged, -sum(each.undecided.values()), each.rule))

    def inform(self) -> list[Words]:
        """What must be said about how this was found."""
        notes = []
        if self.unknown:
            whys = ", ".join(sorted(self.whys))
            notes.append(
                Words(
                    f"Nobody who knows {self.unknown} of the recipients answered ({whys}): only the send itself was "
                    "judged for them. They are unknown, not clean.",
                    f"有 {self.unknown} 个接收方的历史无人应答（{whys}），仅审核了短信本身；结果为“未知”，不等于合规。",
                )
            )
        if self.by["topics"]:
            notes.append(
                Words(
                    f"{self.by['topics']} recipients were looked up in the topics: no worker answered for them.",
                    f"有 {self.by['topics']} 个接收方由主题记录离线计算，没有工作进程应答。",
                )
            )
        return notes


def _verdict(found: Found, why: str | None) -> Outcome:
    if found.refused is not None:
        return "refused"
    if any(not flag.shadow for flag in found.flags):
        return "flagged"
    if why is not None:
        return "unknown"
    return "undecided" if found.undecided else "clean"
