"""The sends to measure with, and the flags that must come of them.

Belongs here: who is sent what, and when. Not here: what is wrong with a line, a consent or a text (`town.py`,
`texts.py`), which says what must be flagged; only B2 is found by counting, since chance makes neighbours.

All chance is drawn at once, so that several processes can each write the sends of their own partitions and the whole
is the same as if one had written all.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from bench.town import COMMERCIAL_SHARE, LINE_SHARE, NIGHT_SHARE, OPENS_AT, OTP_SHARE, TEXT_SHARE, Odd, ranks
from sendwatch.partitions import partitions_of
from sendwatch.simulate.carrier import CARRIERS, PROVINCES
from sendwatch.simulate.drafts import EXTENSIONS
from sendwatch.simulate.phrases import COMMERCIAL, OTP, SERVICE
from sendwatch.simulate.truth import B1, B2, CLEAN, CONSENT_RULES, HOUR, NONE

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from bench.texts import Wording
    from bench.town import Town
    from sendwatch.simulate.carrier import Line

OTHER_KIND, OTP_KIND, COMMERCIAL_KIND = 0, 1, 2
MOST_AN_HOUR = 4
TALKATIVE = 64  # one pair of owner and recipient in so many may break the hourly limit, where there is traffic enough
TEN_AT_NIGHT = OPENS_AT + 12 * HOUR + HOUR // 2
EXTRA = tuple(digits.encode() for digits in EXTENSIONS)
HOMES = tuple((CARRIERS[place % 7 % 3], PROVINCES[place % 31]) for place in range(7 * 31))
TEXT = b'"text":'
NO_DIGITS = bytes.maketrans(b"0123456789", b"0" * 10)
CHUNK = 1_000_000


class Record(Struct, frozen=True, gc=False):
    """One Kafka record to be."""

    partition: int
    timestamp: int
    key: bytes
    value: bytes | None


class Traffic:
    """All sends of a wish, in order of time."""

    def __init__(self, town: Town) -> None:
        """Draw everything; some 100 bytes a send for as long as this lives."""
        self.town, wish = town, town.wish
        self.flags: dict[str, list[str]] = {}
        self.shapes: set[int] = set()
        self.partition = recipient_partitions(town)
        count, draw = wish.sends, np.random.default_rng([wish.seed, 2])
        place = draw.random(count)
        power = 2.0 if wish.spread == "zipf" else 1.0
        self.recipient = (wish.recipients * place**power).astype(np.int64)
        kind = draw.random(count)
        self.kind = np.where(kind < COMMERCIAL_SHARE, COMMERCIAL_KIND, OTHER_KIND).astype(np.int8)
        self.kind[(kind >= COMMERCIAL_SHARE) & (kind < COMMERCIAL_SHARE + OTP_SHARE)] = OTP_KIND
        self.drawn = draw.random((count, 6), dtype=np.float32)  # owner, line, text, what goes wrong, class, lateness
        self.timestamp = OPENS_AT + np.arange(count, dtype=np.int64) * 1000 // wish.per_second
        self.sent_at = self.timestamp - 20 - (self.drawn[:, 5] * 1500).astype(np.int64)
        self.sender = ranks(self.drawn[:, 0], wish.owners)  # of what is not commercial
        self._pair_off()

    def _pair_off(self) -> None:
        """Settle the owner of each commercial send, and keep all but a few pairs within the hourly limit."""
        town = self.town
        at = np.flatnonzero(self.kind == COMMERCIAL_KIND)
        recipient = self.recipient[at]
        slot = (self.drawn[at, 0] * town.count[recipient]).astype(np.int64)
        owner = town.owners[recipient, slot].astype(np.int64)
        odd = recipient % town.every == town.every // 2
        owner[odd] = -1
        pair = recipient * (town.wish.owners + 1) + owner + 1
        order = np.lexsort((at, self.sent_at[at], pair))
        paired, times = pair[order], self.sent_at[at][order]
        over = np.zeros(len(at), dtype=bool)
        back = MOST_AN_HOUR
        over[order[back:]] = (paired[back:] == paired[:-back]) & (times[back:] - times[:-back] < HOUR)
        talkative = ((pair * 2_654_435_761) >> 7) % TALKATIVE == 0
        talkative &= ~odd
        self.owner = np.full(len(self.kind), -1, dtype=np.int64)
        self.owner[at] = owner
        self.too_many = np.zeros(len(self.kind), dtype=bool)
        self.too_many[at[over & talkative]] = True
        self.talkative = np.zeros(len(self.kind), dtype=bool)
        self.talkative[at[talkative]] = True
        self.kind[at[over & ~talkative]] = OTHER_KIND

    def write(self, share: int, shares: int) -> Iterator[Record]:
        """The sends of the partitions that fall to this share; fills `flags` by id (rules sorted), and `shapes`."""
        town = self.town
        partition = self.partition[self.recipient]
        own = np.flatnonzero(partition % shares == share)
        filling = Random(f"{town.wish.seed}/filling/{share}").random
        odds: dict[int, Odd] = {}
        name_of, columns = town.recipients.name, (self.recipient, partition, self.timestamp, self.sent_at)
        for start in range(0, len(own), CHUNK):
            some = own[start : start + CHUNK]
            rows = zip(some.tolist(), *(column[some].tolist() for column in columns), strict=True)
            for number, recipient, place, timestamp, sent_at in rows:
                line, wording, flags, night = self._decide(number, recipient, sent_at, odds)
                name = name_of(recipient).encode()
                send_id = f"{number:012d}{number * 2_654_435_761 % 2**32:08x}"
                home = HOMES[recipient % len(HOMES)]
                carrier, province = home if line.open else _within(line, home, recipient)
                head = b'{"id":"%b","recipient":"%b","port":"%b%b","sent_at":%d,"carrier":"%b","province":"%b",' % (
                    send_id.encode(), name, line.prefix.encode(), EXTRA[number % len(EXTRA)], sent_at,
                    carrier.encode(), province.encode(),
                )  # fmt: skip
                slots = tuple([pool[int(filling() * len(pool))] for pool in wording.pools])
                value = head + (wording.form % slots if slots else wording.form.replace(b"%%", b"%"))
                if night:
                    value = value[:-1] + b',"deliver_at":%d}' % night
                if flags:
                    self.flags[send_id] = sorted(flags)
                self.shapes.add(hash(value[value.index(TEXT) :].translate(NO_DIGITS)))
                yield Record(place, timestamp, name, value)

    def _decide(
        self, number: int, recipient: int, sent_at: int, odds: dict[int, Odd]
    ) -> tuple[Line, Wording, frozenset[str], int | None]:
        """The line, the text, what must be flagged, and when it is to be delivered where that is at night."""
        town, kind = self.town, self.kind[number]
        _, by_line, by_text, fate, by_class, _ = self.drawn[number].tolist()
        course = CLEAN
        if kind != COMMERCIAL_KIND:
            owner = int(self.sender[number])
            klass = OTP if kind == OTP_KIND else SERVICE
        elif (owner := int(self.owner[number])) >= 0:
            klasses = town.carrier.owners[owner].commercial
            klass = klasses[int(by_class * len(klasses))]
        else:
            odd = odds.get(recipient)
            if odd is None:
                odd = odds[recipient] = town.odd(recipient)
            owner, klasses = odd.owner, tuple(odd.courses)
            klass = klasses[int(by_class * len(klasses))]
            course = odd.courses[klass]
        line, wording, night = self._choose(owner, klass, by_line, by_text, 1.0 if self.talkative[number] else fate)
        t = sent_at if not night else TEN_AT_NIGHT + int(by_text * 9 * HOUR)
        flags = line.flags.at(t) | wording.flags
        if klass in COMMERCIAL:
            flags |= course.at(t) | ({B1} if night else NONE) | ({B2} if self.too_many[number] else NONE)
            if not line.owned:
                flags -= CONSENT_RULES
        return line, wording, flags, t if night else None

    def _choose(
        self, owner: int, klass: str, by_line: float, by_text: float, fate: float
    ) -> tuple[Line, Wording, bool]:
        """A line, a text, and whether it is for the night; `fate` in [0, 1) says what goes wrong, if anything."""
        town, planted = self.town, self.town.wish.flags
        lines = town.carrier.lines[owner]
        line = lines[int(by_line * len(lines))]
        write = town.writer
        if fate < planted * LINE_SHARE * 3:  # a third of the owners have a faulty line
            faulty = [line for line in town.faulty_of.get(owner, ()) if klass in line.classes]
            if faulty:
                line = faulty[int(by_line * len(faulty))]
        elif klass in COMMERCIAL:
            fate -= planted * LINE_SHARE * 3
            if fate < planted * TEXT_SHARE / COMMERCIAL_SHARE:
                templated = town.templated.get(owner)
                texts = write.bad(line, klass) if templated is None else write.misfit(templated, klass)
                return (line if templated is None else templated.line), texts[int(by_text * len(texts))], False
            if fate < planted * (TEXT_SHARE + NIGHT_SHARE) / COMMERCIAL_SHARE:
                return line, _mostly_first(write.good(line, klass), by_line), True
        return line, _mostly_first(write.good(line, klass), by_text), False


def _mostly_first(texts: list[Wording], drawn: float) -> Wording:
    return texts[int(drawn**8 * len(texts))]  # three quarters are the campaign under way, or the usual code


def _within(line: Line, home: tuple[str, str], recipient: int) -> tuple[str, str]:
    """The recipient's carrier and province, or others where the line may not serve these."""
    carrier, province = home
    if carrier not in line.carriers:
        carrier = line.carriers[recipient % len(line.carriers)]
    if province not in line.provinces:
        province = line.provinces[recipient % len(line.provinces)]
    return carrier, province


def recipient_partitions(town: Town) -> npt.NDArray[np.int16]:
    """The partition of every recipient."""
    count, name = town.wish.recipients, town.recipients.name
    parts = [
        partitions_of([name(index).encode() for index in range(start, min(start + CHUNK, count))], town.wish.partitions)
        for start in range(0, count, CHUNK)
    ]
    return np.concatenate([np.array(part, dtype=np.int16) for part in parts])
