"""Seeded histories of two people and four companies, late and out of order, and registries that change with them.

Arrivals lie at and around the ends of windows on purpose. A history lasts 90 hours, so that nothing is dropped that
could still matter, and an id that comes again comes with the values it had.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

from engine_builders import (
    ANNE,
    BODO,
    CODE,
    DAY,
    HOUR,
    NOW,
    OTHER_TEXT,
    REGISTRIES,
    TEXT,
    Event,
    a_consent,
    a_filing,
    a_port,
    a_reply,
    a_row,
    a_send,
    a_withdrawal,
    an_event,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

LASTS = 90 * HOUR
TIMES = [0, 0, 1, -1, 30_000, 60_000, 60_001, HOUR, -HOUR, 10 * HOUR, DAY, 2 * DAY - 1, 2 * DAY, 3 * DAY - 1, 3 * DAY]
DELAYS = [0, 0, 0, 0, 1000, 2 * HOUR, 20 * HOUR, 60 * HOUR, 72 * HOUR, 72 * HOUR + 1, 80 * HOUR]
UNSIGNED = "会员日全场女装八折，满300减50。"
TEXTS: list[str] = [
    *(TEXT, TEXT, TEXT, TEXT, OTHER_TEXT, OTHER_TEXT, CODE, UNSIGNED),
    "【云岭商贸】您好。",
    "【青禾】会员日全场女装八折，满300减50，欢迎选购。回TD退订",
    "【话费账单】全场女装八折，满300减50，欢迎选购。回QQ退订【云岭商贸】",
    "【未批】您的订单已发货，请注意查收。",
    "【云岭商贸】会员日全场女装八折，加微信abcde123，满300减50，欢迎选购。拒收请回复R",
]
ASKING = "【云岭商贸】您是否同意接收我们的优惠短信？同意请回复Y，每月至多4条。"
REPLIES = ["退订", "R", "td", "0000", "您好", "qq", "QX ", "Ｔ"]
PORTS = ["10690001"] * 4 + ["10690002", "10690003", "10680001", "10680211"]
SIGNATURES = ["云岭商贸", "湖畔书屋", "青禾", "话费账单", "未批"]
OWNERS = ["O1", "O2", "O3", "O4"]
PARTIES = ["h1", "h2", "h3", "O1", "O2", "sp1", "sp2"]
PATTERN = "会员日全场{x}八折，满300减50，欢迎选购。拒收请回复R"
SINCE = NOW - DAY

ROWS: tuple[Event, ...] = (
    *REGISTRIES[:2],
    a_filing("f3", signature="青禾", owner="O3", ports=["1069", "1068"], carriers=["cm"]),
    a_filing("f4", signature="青禾", owner="O4", ports=["10690003"]),
    a_filing("f5", signature="话费账单", owner="O4", ports=["10680"], status="revoked", valid_until=NOW + HOUR),
    a_filing("f6", signature="未批", owner="O4", status="pending"),
    a_port(),
    a_port("p2", port="10680", holder="h1"),
    a_port("p3", port="106802", holder="h2", purpose="service", provinces=["53"]),
    a_row("letters", "l1", grantor="h1", grantee="h3", valid_from=SINCE),
    a_row(
        "letters", "l2", grantor="h3", grantee="O1", valid_from=SINCE, valid_until=NOW + DAY, signatures=["云岭商贸"]
    ),
    a_row("owners", "O1", name="甲", group="g1", sp="sp1"),
    a_row("owners", "O2", name="乙", group="g1"),
    a_row("owners", "O3", name="丙", group="g1"),
    a_row("templates", "t1", signature="云岭商贸", use="marketing", pattern=PATTERN, valid_from=SINCE),
    a_row("templates", "t2", signature="云岭商贸", use="service", pattern="{x}", valid_from=NOW, valid_until=NOW + DAY),
)


def history(seed: int) -> list[Event]:
    """The events of a history in the order in which they come; some come twice, some topics lag behind others."""
    random = Random(f"history {seed}")
    count = random.randrange(3, 36)
    events: list[Event] = []
    for number in range(count):
        made = random.choices([_send, _parts, _consent, _reply], [12, 2, 4, 3])[0]
        events += made(random, number, count)
    again = random.sample(events, min(len(events), random.choice([0, 0, 1, 3])))
    events += [event._replace(timestamp=event.timestamp + random.choice([0, 1000, 50 * HOUR])) for event in again]
    if random.random() < 0.5:
        random.shuffle(events)
        return events
    events.sort(key=lambda event: event.timestamp)
    lag = {kind: random.randrange(8) for kind in ("sends", "consents", "replies")}
    ordered = sorted(enumerate(events), key=lambda item: (item[0] + lag[item[1].kind], item[0]))
    return [event for _, event in ordered]


def batches(seed: int, events: Sequence[Event]) -> list[Sequence[Event]]:
    """The same events, cut anywhere."""
    random = Random(f"batches {seed}")
    cut, start = [], 0
    while start < len(events):
        size = random.choice([1, 1, 2, 5, 100])
        cut.append(events[start : start + size])
        start += size
    return cut


def _at(random: Random) -> int:
    return NOW + random.choice([*TIMES, *(random.randrange(LASTS) for _ in range(8))])


def _send(random: Random, number: int, count: int) -> list[Event]:
    at = _at(random)
    commercial = {"text": ASKING, "category": "marketing"}  # how other requests are seen late is another matter
    fields: dict[str, Any] = {
        "recipient": random.choice([ANNE, ANNE, BODO]),
        "text": random.choice([*TEXTS, None]),
        "category": random.choice(["marketing", "marketing", "otp", "service", "marketing.finance", None]),
        "port": random.choice(PORTS),
        "carrier": random.choice(["cm", "cm", "cu", None]),
        "province": random.choice(["53", "53", "11", None]),
        "sp": random.choice(["sp1", "sp1", "sp1", "sp2"]),
        **(commercial if random.random() < 0.12 else {}),
        **({"template": random.choice(["t1", "t2", "t9"])} if random.random() < 0.15 else {}),
        **({"request": f"e{random.randrange(count)}"} if random.random() < 0.15 else {}),
        **({"deliver_at": at + random.choice([0, HOUR, 72 * HOUR, 73 * HOUR])} if random.random() < 0.1 else {}),
    }
    if fields["text"] == ASKING:
        fields["template"] = None
    return [a_send(f"e{number}", at, at + random.choice([0, 0, *DELAYS]), **fields)]


def _parts(random: Random, number: int, _: int) -> list[Event]:
    at, total, whole = _at(random), random.choice([2, 2, 3]), random.choice(TEXTS)
    size, numbers = len(whole) // total, list(range(1, total + 1))
    common: dict[str, Any] = {"recipient": random.choice([ANNE, BODO]), "port": random.choice(PORTS[:5])}
    ref, events = random.choice([7, 8]), []
    for no in random.sample(numbers, random.choice([total, total, random.choice(numbers)])):
        sent_at = at + random.choice([0, 0, 1000, 300_000, 599_999, 600_000, 700_000])
        text = whole[(no - 1) * size : None if no == total else no * size]
        fields = {
            **common,
            "text": text if random.random() < 0.95 else None,
            "part": {"ref": ref, "no": no, "total": total},
        }
        fields["category"] = random.choice(["marketing", "marketing", "otp", None])
        events.append(a_send(f"e{number}.{no}", sent_at, sent_at + random.choice([0, 0, 0, *DELAYS]), **fields))
    return events


def _consent(random: Random, number: int, _: int) -> list[Event]:
    at, delay = _at(random), random.choice(DELAYS)
    began_at = at - random.choice([0, 0, HOUR, DAY, 30 * DAY])
    fields: dict[str, Any] = {
        "recipient": random.choice([ANNE, ANNE, BODO]),
        "owner": random.choice(["O1", "O1", "O1", "O2", "O3", "O4", "*"]),
        "types": random.choice([None, ["marketing"], ["marketing.finance"], ["marketing.retail", "service"]]),
        "recorded_at": random.choice([None, None, at + delay - random.choice([0, HOUR, 23 * HOUR, 30 * HOUR])]),
    }
    if random.random() < 0.5:
        proof = {"id": "p", "sha256": "0" * 64, "captured_at": at + random.choice([0, HOUR])}
        fields |= {
            "method": random.choice(["written", "pre_ticked", "voice", None, "fax"]),
            "max_per_day": random.choice([None, 1, 2]),
            "expires_at": random.choice([None, at + HOUR, at + 60 * HOUR]),
            "proof": random.choice([None, proof]),
        }
    made = a_withdrawal if random.random() < 0.45 else a_consent
    return [made(f"e{number}", began_at, random.choice([began_at, at]) + delay, **fields)]


def _reply(random: Random, number: int, _: int) -> list[Event]:
    at = _at(random)
    fields = {"recipient": random.choice([ANNE, BODO]), "port": random.choice(PORTS), "text": random.choice(REPLIES)}
    return [a_reply(f"e{number}", at, at + random.choice(DELAYS), **fields)]


def changing_rows(seed: int) -> list[Event]:
    """`ROWS`, and records that change, end and erase them, some of them too late to count."""
    random = Random(f"rows {seed}")
    changes = [_change(random) for _ in range(random.randrange(14))]
    return [*ROWS, *changes]


def _change(random: Random) -> Event:
    kind = random.choice(
        ["signatures"] * 4 + ["ports", "ports", "letters", "letters", "letters", "templates", "owners"]
    )
    begins_at = NOW + random.choice([-300 * DAY, -DAY, 0, HOUR, 40 * HOUR])
    lives = {"valid_from": begins_at, "valid_until": random.choice([None, None, begins_at, begins_at + 3 * DAY])}
    ports = random.sample(["1069", "1068", "10690001", "10680", "106900", "10680211"], random.randrange(1, 3))
    fields: dict[str, dict[str, Any]] = {
        "signatures": {
            "id": f"f{random.randrange(1, 9)}",
            "signature": random.choice(SIGNATURES),
            "owner": random.choice(OWNERS),
            "uses": random.sample(["otp", "service", "marketing", "marketing.retail"], random.randrange(4)),
            "ports": ports,
            "sps": random.choice([None, None, ["sp1"], ["sp1", "sp2"], ["sp2"], []]),
            "carriers": random.choice([None, None, ["cm"], ["cm", "cu"], []]),
            "provinces": random.choice([None, None, ["53"], ["11", "53"]]),
            "status": random.choice(["approved"] * 4 + ["pending", "rejected"]),
            **lives,
        },
        "ports": {
            "id": f"p{random.randrange(1, 5)}",
            "port": random.choice(["1069", "10690", "10690001", "106802", "1068"]),
            "holder": random.choice(["sp1", "sp2", "h1", "h2"]),
            "purpose": random.choice(["mixed", "service", "marketing", None]),
            "provinces": random.choice([None, None, ["53"], []]),
            "carriers": random.choice([None, None, ["cm"]]),
            **lives,
        },
        "letters": {
            "id": f"l{random.randrange(1, 7)}",
            "grantor": random.choice(PARTIES[:5]),
            "grantee": random.choice(PARTIES),
            "signatures": random.choice([None, None, ["云岭商贸"], ["湖畔书屋"]]),
            "ports": random.choice([None, None, ports]),
            **lives,
        },
        "templates": {
            "id": f"t{random.randrange(1, 4)}",
            "signature": random.choice(SIGNATURES),
            "use": random.choice(["otp", "service", "marketing"]),
            "pattern": random.choice(["{x}", PATTERN, "您好"]),
            "urls": random.choice([None, ["a.cn"]]),
            **lives,
        },
        "owners": {
            "id": random.choice(OWNERS),
            "name": "某",
            "group": random.choice([None, "g1", "g1", "g2"]),
            "sp": random.choice([None, "sp1", "sp2", "h3"]),
        },
    }
    arrived = NOW + random.choice([-10 * DAY, -DAY, 0, 60 * HOUR, 72 * HOUR, 72 * HOUR + 1, 100 * HOUR, 140 * HOUR])
    event = an_event(kind, arrived, None, fields[kind])
    return event._replace(value=None) if random.random() < 0.12 else event
