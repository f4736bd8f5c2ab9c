"""Texts of the simulated carrier: bodies by class, filled from pools, signed. No owner, no time, no rule
here.

A skeleton is a sentence with slots. All skeletons of a class are composed once from wording.py (hundreds
each); filling one costs a few look-ups in pools that the seed made, so a million texts differ and cost
little.
"""

from __future__ import annotations

import re
from random import Random
from typing import TYPE_CHECKING, Final

import msgspec

from sendwatch.simulate import wording

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

OTP: Final = "otp"
SERVICE: Final = "service"
RETAIL: Final = "marketing.retail"
FINANCE: Final = "marketing.finance"
COMMERCIAL: Final = (RETAIL, FINANCE)

_SLOT: Final = re.compile(r"\{(\w+)\}")
_POOL: Final = 256


HABITS: Final = 6  # wordings that a sender uses of each class


class Skeleton(msgspec.Struct, frozen=True, gc=False):
    """A sentence with slots: `form` has a %s for each pool, `pattern` the same as a filed template writes
    it.
    """

    form: str
    names: tuple[str, ...]
    pools: tuple[tuple[str, ...], ...]
    pattern: str

    def fill(self, random: Random) -> str:
        draw = random.random
        return self.form % tuple([pool[int(draw() * len(pool))] for pool in self.pools])

    def matches(self, body: str) -> bool:
        return re.fullmatch(".+".join(map(re.escape, _SLOT.split(self.pattern)[::2])), body) is not None


class Phrases:
    """The skeletons of each class, without and (commercial ones) with refusal wording."""

    def __init__(self, seed: object) -> None:
        random = Random(f"{seed}/phrases")
        self.pools = _pools(random)
        self.bare: dict[str, tuple[Skeleton, ...]] = {
            OTP: self._compose(_otp()),
            SERVICE: self._compose(_service()),
            RETAIL: self._compose(_mixed(wording.RETAIL_OPENINGS, wording.RETAIL_OFFERS, wording.RETAIL_CALLS)),
            FINANCE: self._compose(_mixed(wording.FINANCE_OPENINGS, wording.FINANCE_OFFERS, wording.FINANCE_CALLS)),
        }

    def body(self, klass: str, random: Random, sender: int | None = None) -> str:
        """A whole body of that class; a commercial one says how to refuse.

        A sender has a few wordings that it fills again and again; None: any wording.
        """
        skeletons, refusals = self.bare[klass], wording.REFUSALS
        if sender is None:
            chosen, end = int(random.random() * len(skeletons)), int(random.random() * len(refusals))
        else:
            chosen, end = (
                (sender * 7919 + int(random.random() * HABITS) * 104_729) % len(skeletons),
                sender % len(refusals),
            )
        body = skeletons[chosen].fill(random)
        return body + refusals[end] if klass in COMMERCIAL else body

    def without_refusal(self, klass: str, random: Random) -> str:
        return random.choice(self.bare[klass]).fill(random)

    def template(self, klass: str, random: Random, link: str | None) -> Skeleton:
        """A skeleton to be filed as a template. With a link it is the only one that the texts carry."""
        wanted = [s for s in self.bare[klass] if ("{link}" in s.pattern) == (link is not None)]
        chosen = random.choice(wanted)
        end = random.choice(wording.REFUSALS) if klass in COMMERCIAL else ""
        pools: Mapping[str, tuple[str, ...]] = self.pools | ({"link": (link,)} if link else {})
        return _skeleton(chosen.pattern + end, pools)

    def _compose(self, sentences: Iterable[str]) -> tuple[Skeleton, ...]:
        return tuple(_skeleton(sentence, self.pools) for sentence in sentences)


def sign(signature: str, body: str, draw: float, titled: bool) -> str:
    """The text with its signature: nearly always at the head, sometimes at the tail, in half-width
    brackets, or (where a title fits) at the tail with a title at the head. `draw` in [0, 1) decides.
    """
    if not signature:
        return body
    if draw < 0.88:
        return f"【{signature}】{body}"
    if draw < 0.96 or "】" in body:
        return f"{body}【{signature}】"
    if draw < 0.98 or not titled:
        return f"[{signature}]{body}"
    title = wording.TITLES[int(draw * 10_000) % len(wording.TITLES)]
    return f"【{title}】{body}【{signature}】"


def _otp() -> list[str]:
    bracketed = [core.replace("{act}", act) for core in wording.OTP_BRACKETED for act in wording.OTP_ACTS]
    return bracketed + [
        core.replace("{act}", act) + end
        for core in wording.OTP_CORES
        for act in wording.OTP_ACTS
        for end in wording.OTP_ENDS
    ]


def _service() -> list[str]:
    plain = [
        opening + core + end
        for opening in wording.SERVICE_OPENINGS
        for core in wording.SERVICE_CORES
        for end in wording.SERVICE_ENDS
    ]
    return plain + [core + end for core in wording.SERVICE_CORES[:4] for end in wording.SERVICE_REFUSALS]


def _mixed(openings: Sequence[str], offers: Sequence[str], calls: Sequence[str]) -> list[str]:
    return [opening + offer + call for opening in openings for offer in offers for call in calls]


def _skeleton(sentence: str, pools: Mapping[str, tuple[str, ...]]) -> Skeleton:
    names = tuple(_SLOT.findall(sentence))
    form = _SLOT.sub("%s", sentence.replace("%", "%%"))
    return Skeleton(form, names, tuple(pools[name] for name in names), sentence)


def _pools(random: Random) -> dict[str, tuple[str, ...]]:
    """What may stand in each slot. Links lie under the reserved name .example; no slot looks like a phone
    number or an account except the numbers of orders and parcels, which only service texts have.
    """
    letters = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
    word: Callable[[], str] = lambda: "".join(random.choices(letters, k=6))
    days = range(1, 31)
    return {
        "code": tuple(f"{random.randrange(10**6):06d}" for _ in range(4096)),
        "min": ("2", "3", "5", "10", "15", "30"),
        "parcel": tuple(f"YT{random.randrange(10**12):012d}" for _ in range(_POOL)),
        "order": tuple(f"{random.randrange(10**11, 10**12)}" for _ in range(_POOL)),
        "pick": tuple(
            f"{random.randint(1, 20)}-{random.randint(1, 9)}-{random.randint(1000, 9999)}" for _ in range(_POOL)
        ),
        "place": ("小区南门驿站", "菜场路驿站", "物业中心", "3号楼快递柜", "学校西门驿站", "写字楼一层前台"),
        "tail": tuple(f"{random.randrange(10**4):04d}" for _ in range(_POOL)),
        "date": tuple(f"11月{day}日" for day in days),
        "clock": tuple(f"{random.randint(8, 21):02d}:{random.randrange(60):02d}" for _ in range(_POOL)),
        "price": tuple(f"{random.randint(1, 2000)}.{random.randrange(100):02d}" for _ in range(_POOL)),
        "limit": tuple(f"{random.randint(100, 99999)}.{random.randrange(100):02d}" for _ in range(_POOL)),
        "gb": tuple(f"{random.randint(1, 80)}.{random.randrange(10)}" for _ in range(64)),
        "fold": ("3", "4", "5", "5.5", "6", "6.8", "7", "7.5", "8"),
        "full": ("99", "199", "200", "299", "300", "399", "500"),
        "cut": ("10", "20", "30", "40", "50", "60", "80", "100"),
        "low": ("1", "9.9", "19.9", "29.9", "39", "49", "59", "99"),
        "many": ("50", "100", "200", "500"),
        "loan": ("5000", "1万", "2万", "3万", "5万", "8万", "20万"),
        "rate": ("3.6", "4.8", "5.4", "7.2", "8.8"),
        "link": tuple(
            f"https://s.{random.choice(('d11', 'mall', 'vip', 'go'))}.example/{word()}" for _ in range(_POOL)
        ),
    }
