"""What a replay has published: the difference as messages and one ledger range, for the owner of the partition.

Belongs here: which corrections there are, and what follows from them for topic, ledger and store. Pure. Not here:
owning the partition and writing (`publish.py`), judging (`rejudge.py`).

    flags     raised, cleared or raised on other evidence, one revision up, with the owner's epoch
    ledger    no offsets; the corrections in its tallies, and the rows of sends that are still kept
    entered   before that, rows of those sends that are kept no more, as they are counted: if the writer died between
              flags and ledger, the next owner could not tell otherwise what was counted of them
    left      flags that rest on neighbouring sends, of sends that are kept no more: if the writer died between flags
              and ledger, the next owner would compare them by what it has, and the neighbours it has no more
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from sendwatch import dossier as dossiers
from sendwatch.engine.counts import Counts
from sendwatch.engine.flagging import CLEARED as NO_LONGER
from sendwatch.engine.partition import Outcome, changes_of
from sendwatch.engine.tallies import MINUTE, row_of
from sendwatch.ledger import Range, Row, Tally
from sendwatch.outgoing import flag_message, published_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sendwatch.dossier import Kept
    from sendwatch.engine.judging import Judging
    from sendwatch.engine.partition import Partition
    from sendwatch.engine.tallies import Key
    from sendwatch.outgoing import Because, FlagEvent

BY_NEIGHBOURS = frozenset({"B2_FREQUENCY", "C4_CONSENT_EXCEEDED", "C7_ASKED_AGAIN"})


class Correction(NamedTuple):
    """What was published last of a flag (None: nothing), and what the replay says (None: it does not stand)."""

    before: FlagEvent | None
    after: FlagEvent | None

    @property
    def about(self) -> FlagEvent:
        """The flag as it is known best."""
        found = self.after or self.before
        assert found is not None
        return found

    @property
    def stood(self) -> bool:
        """Whether the flag stands on the topic."""
        return self.before is not None and self.before.status == "raised"


def corrections(
    ours: Mapping[str, FlagEvent], published: Mapping[str, FlagEvent], oldest: int
) -> tuple[list[Correction], Counter[str]]:
    """What is to be published, and how many flags by rule are left as they are.

    `published`: the last record of every flag of the range. `oldest`: the time before which no send is kept.
    """
    found: list[Correction] = []
    left = Counter[str]()
    for flag_id in sorted(ours.keys() | published.keys()):
        each = Correction(published.get(flag_id), ours.get(flag_id))
        if not _differs(each):
            continue
        if each.about.rule in BY_NEIGHBOURS and each.about.send.at < oldest:
            left[each.about.rule] += 1
        else:
            found.append(each)
    return found, left


def _differs(each: Correction) -> bool:
    if each.after is None or each.before is None:
        return each.stood or each.after is not None
    return not each.stood or published_of(each.before).digest != published_of(each.after).digest


def outcome_of(
    some: Sequence[Correction],
    recipients: Mapping[int, bytes],
    partition: Partition,
    judging: Judging,
    because: Because,
    now: int,
) -> Outcome:
    """Everything that follows from these corrections. `recipients`: internal pseudonyms by offset of the send."""
    events = [_event(each, partition.epoch, judging, because, now) for each in some]
    topics = ["canary" if event.send.sp in judging.canaries else "flags" for event in events]
    opened = partition.load({recipients[event.source.offset] for event in events})
    counted: dict[int, Key] = {}
    rows: dict[tuple[bytes, str], Row] = {}
    for event in events:
        recipient = recipients[event.source.offset]
        kept = opened[recipient].find(event.send.id)
        if (recipient, event.send.id) in rows:
            kept = rows[recipient, event.send.id].kept
        elif kept is None and event.source.offset in partition.entered:
            kept = replace(partition.entered[event.source.offset].kept)
        if kept is not None and kept.offset == event.source.offset:
            kept.flags = [flag for flag in kept.flags if flag.rule != event.rule] + [published_of(event)]
            rows[recipient, kept.id] = Row(recipient, kept)
            counted[event.source.offset] = row_of(kept)
    turned = [
        event
        for each, event, topic in zip(some, events, topics, strict=True)
        if topic == "flags" and each.stood != (each.after is not None)
    ]
    record = _range(partition, judging, now, _tallies(turned, counted), rows.values())
    changed = {key[0]: opened[key[0]] for key in rows if opened[key[0]].find(key[1]) is not None}
    counts = Counts(corrections=Counter((event.rule, event.status) for event in turned))
    messages = [flag_message(event, topic, partition.number) for event, topic in zip(events, topics, strict=True)]
    return Outcome(messages, record, changes_of(changed), {}, counts)


def entered(
    some: Sequence[Correction],
    published: Iterable[FlagEvent],
    sends: Mapping[int, tuple[bytes, Kept | None]],
    partition: Partition,
    judging: Judging,
    now: int,
) -> Outcome | None:
    """The rows of sends of these corrections that are kept no more, as they are counted; None: all are kept.

    `published`: the last record of every flag. `sends`: recipient and row by offset, but for parts of long messages.
    What rests on neighbours is left out: whoever compared it would have these no more.
    """
    wanted = {each.about.source.offset: each.about.send.id for each in some}
    told: dict[int, list[FlagEvent]] = {offset: [] for offset in wanted}
    for event in published:
        if event.source.offset in told and event.rule not in BY_NEIGHBOURS:
            told[event.source.offset].append(event)
    opened = partition.load({sends[offset][0] for offset in wanted})
    rows: list[Row] = []
    for offset, send_id in wanted.items():
        recipient, kept = sends[offset]
        if kept is None or kept.sp in judging.canaries or offset in partition.entered:
            continue
        if opened[recipient].find(send_id) is not None:
            continue
        if told[offset]:  # as it was when it was counted
            send = told[offset][0].send
            kept = replace(
                kept, signature=send.signature, owner=send.owner, type=send.type, type_source=send.type_source
            )
        kept.flags = [published_of(event) for event in told[offset]]
        rows.append(Row(recipient, kept))
    if not rows:
        return None
    record = _range(partition, judging, now, [], ())
    record.entered = rows
    return Outcome([], record, {}, {}, Counts())


def _range(partition: Partition, judging: Judging, now: int, tallies: list[Tally], rows: Iterable[Row]) -> Range:
    standing = partition.position.standing
    return Range(
        epoch=partition.epoch,
        version=judging.version,
        at=now,
        event_time=standing.event_time,
        spans={},
        registries=dict(partition.registries),
        flags_next=standing.flags_next,
        tallies=tallies,
        rows=list(rows),
    )


def _event(each: Correction, epoch: int, judging: Judging, because: Because, now: int) -> FlagEvent:
    event = each.about
    if each.after is None:
        event = replace(event, status="cleared", shadow=False, evidence={}, reason=NO_LONGER)
    revision = each.before.revision + 1 if each.before is not None else 1
    return replace(event, revision=revision, epoch=epoch, because=because, judged_at=now, version=judging.version)


def _tallies(turned: Iterable[FlagEvent], counted: Mapping[int, Key]) -> list[Tally]:
    """The corrections of flags, each where its send is counted: by its row, or else as was published of it."""
    rows: dict[Key, Tally] = {}
    for event in turned:
        send, name = event.send, event.rule + ("+" if event.status == "raised" else "-")
        where = (send.at // MINUTE, send.carrier, send.province, send.sp, send.port)
        key = counted.get(event.source.offset) or (*where, send.owner, send.signature, send.type)
        corrections = rows.setdefault(key, Tally(*key)).corrections
        corrections[name] = corrections.get(name, 0) + 1
    return list(rows.values())


def oldest_kept(partition: Partition, judging: Judging) -> int:
    """The time before which no send of the partition is kept any more."""
    return dossiers.oldest_kept(partition.position.standing.event_time, judging.parameters.window)
