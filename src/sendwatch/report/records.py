"""Published records as one line each for a person, in English or Chinese; which ones are wanted, and which hold.

Belongs here: layout, filters, the last record of a key. Not here: reading topics (`follow.py`). It knows values as
plain JSON, as any reader does: what it does not know it leaves out.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal
from unicodedata import east_asian_width

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Value = dict[str, Any]
Language = Literal["en", "zh"]

KINDS: Final = ("flags", "optouts", "quarantine", "breaches")
OVER: Final = frozenset({"cleared", "closed"})
MOST_REMEMBERED: Final = 100_000
BEIJING: Final = timedelta(hours=8)

CHINESE: Final = {
    "low": "低", "medium": "中", "high": "高", "critical": "严重",
    "raised": "违规", "cleared": "已撤销", "open": "越限", "closed": "已恢复", "shadow": "试运行",
}  # fmt: skip

FILTERS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "flags": {
        "rule": ("rule",),
        "severity": ("severity",),
        "owner": ("send.owner",),
        "sp": ("send.sp",),
        "port": ("send.port",),
    },
    "optouts": {"owner": ("owners",)},
    "quarantine": {},
    "breaches": {"rule": ("rule",), "owner": ("subject.owner",), "sp": ("subject.sp",), "port": ("subject.port",)},
}
"""What each kind can be filtered by, and where in its value that lies."""


class Wanted(Struct, frozen=True):
    """What records are wanted, by the names of `FILTERS`: one of the values each. A port is wanted by its beginning."""

    kind: str
    values: dict[str, tuple[str, ...]]

    def unknown(self) -> list[str]:
        """The filters that records of this kind have no field for."""
        return sorted(name for name, values in self.values.items() if values and name not in FILTERS[self.kind])

    def takes(self, value: Value) -> bool:
        """Whether a record is wanted."""
        return all(self._fits(name, some, value) for name, some in self.values.items() if some)

    def _fits(self, name: str, some: tuple[str, ...], value: Value) -> bool:
        for path in FILTERS[self.kind][name]:
            found = _at(value, path)
            for each in found if isinstance(found, list) else [found]:
                if any(_is(name, wanted, each) for wanted in some):
                    return True
        return False


def _is(name: str, wanted: str, found: object) -> bool:
    if name == "rule":  # C5 is enough of an id
        return isinstance(found, str) and (found == wanted or found.startswith(f"{wanted}_"))
    if name == "port":
        return isinstance(found, str) and found.startswith(wanted)
    return found == wanted


class Standing:
    """The last record of each key: what holds."""

    def __init__(self) -> None:
        """Nothing is known."""
        self._last: dict[bytes, Value] = {}

    def take(self, key: bytes, value: Value | None) -> None:
        """Take in a record; None: its key was deleted."""
        self._last.pop(key, None)
        if value is not None:
            self._last[key] = value

    def holding(self) -> list[Value]:
        """What holds, in the order of the last change: raised flags, open breaches, all of the rest."""
        return [value for value in self._last.values() if value.get("status") not in OVER]


class Repeats:
    """Tells records that were published again, after a crash or a replay, from those that say something new."""

    def __init__(self, most: int = MOST_REMEMBERED) -> None:
        """`most` keys are remembered."""
        self._most = most
        self._seen: OrderedDict[bytes, tuple[object, ...]] = OrderedDict()

    def is_new(self, key: bytes, value: Value) -> bool:
        """Whether the record says something else than the one before of its key."""
        says = tuple(str(value.get(name)) for name in ("status", "revision", "owners", "source", "closed_at"))
        new = self._seen.pop(key, None) != says
        self._seen[key] = says
        if len(self._seen) > self._most:
            self._seen.popitem(last=False)
        return new


def line(kind: str, value: Value, language: Language) -> str:
    """A record as one line."""
    return LINES[kind](value, language)


def _flag(value: Value, language: Language) -> str:
    send = value.get("send") or {}
    status = _word(value.get("status"), language) + (f" ({_word('shadow', language)})" if value.get("shadow") else "")
    return _joined(
        _when(send.get("at")),
        _padded(_word(value.get("severity"), language)),
        _padded(status),
        f"{value.get('rule') or '–':<24}",
        f"SP {send.get('sp')}",
        send.get("port"),
        send.get("signature") and f"【{send['signature']}】",
        (value.get("reason") or {}).get(language),
        value.get("flag_id"),
    )


def _optout(value: Value, language: Language) -> str:
    said = {"en": "refuses", "zh": "拒收"}[language]
    owners = ", ".join(value.get("owners") or ()) or {"en": "nobody known", "zh": "归属不明"}[language]
    answered = value.get("answered_send")
    of = {"en": "in answer to", "zh": "答复"}[language]
    return _joined(
        _when(value.get("received_at")), value.get("recipient"), said, owners, answered and f"{of} {answered}"
    )


def _refused(value: Value, _language: Language) -> str:
    source = value.get("source") or {}
    place = f"{source.get('topic')}:{source.get('partition')}:{source.get('offset')}"
    return _joined(place, f"{value.get('reason') or '–':<16}", value.get("detail"), f"{value.get('size')} bytes")


def _breach(value: Value, language: Language) -> str:
    measured, limit = (_named(value.get(name)) for name in ("measures", "limit"))
    return _joined(
        _when(value.get("closed_at") or value.get("opened_at")),
        _padded(_word(value.get("status"), language)),
        f"{value.get('rule') or '–':<24}",
        _named(value.get("subject")),
        measured,
        limit and f"{ {'en': 'limit', 'zh': '限值'}[language] } {limit}",
        value.get("breach_id"),
    )


LINES: Final[Mapping[str, Callable[[Value, Language], str]]] = {
    "flags": _flag,
    "optouts": _optout,
    "quarantine": _refused,
    "breaches": _breach,
}


def _at(value: Value, path: str) -> Any:
    found: Any = value
    for name in path.split("."):
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _named(found: object) -> str:
    members = found.items() if isinstance(found, dict) else ()
    return " ".join(f"{name}={each}" for name, each in members if each is not None)


def _word(word: object, language: Language) -> str:
    return CHINESE.get(str(word), str(word)) if language == "zh" else str(word)


def _padded(word: str) -> str:
    wide = sum(east_asian_width(each) in "WF" for each in word)  # each takes two columns
    return word.ljust(8 - wide)


def _when(at: object) -> str:
    if not isinstance(at, int):
        return "–"
    return (datetime.fromtimestamp(at / 1000, UTC) + BEIJING).strftime("%m-%d %H:%M:%S")


def _joined(*words: Any) -> str:
    return "  ".join(str(word) for word in words if word).rstrip()
