"""Builders for the tests of the desk: published records, a desk that is connected to nothing, and a client for it.

Every number, name and text is made up.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from engine_builders import NOW, PREPARED, REGISTRIES, a_judging, settings_of
from sendwatch.aggregator.aggregator import Aggregator
from sendwatch.aggregator.ledger_fold import Folding
from sendwatch.app import _metrics
from sendwatch.desk import routes
from sendwatch.desk.access import hash_of
from sendwatch.desk.gate import tell_problems
from sendwatch.desk.say import About, Disposition, Subject
from sendwatch.desk.server import Desk
from sendwatch.engine.store import MemoryStore
from sendwatch.ledger import Version
from sendwatch.outgoing import Because, BreachEvent, FlagEvent, FlaggedSend, Law, Place, Reason
from sendwatch.windows.board import Board

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


TOKEN = "0f" * 16
TOKENS = {"viewer": "sw_looks", "analyst": "sw_decides", "admin": "sw_sees_all"}


def a_flag(number: int = 0, **fields: Any) -> FlagEvent:
    """A flag of C5 about a send of O1 from 10690001 by sp1."""
    send: dict[str, Any] = {
        "id": f"s{number}", "recipient": TOKEN, "sp": "sp1", "port": "10690001", "carrier": "cm", "province": "53",
        "signature": "云岭商贸", "owner": "O1", "type": "marketing", "type_source": "text", "at": NOW + number,
    }  # fmt: skip
    send |= {name: fields.pop(name) for name in list(fields) if name in send}
    usual: dict[str, Any] = {
        "flag_id": f"{number:032x}", "revision": 1, "epoch": 1, "status": "raised", "shadow": False,
        "rule": "C5_AFTER_OPT_OUT", "severity": "high", "law": Law("miit-74", "Art. 21-23", checked=False),
        "send": FlaggedSend(**send), "evidence": {"minutes": 5}, "reason": Reason("why", "为何"),
        "source": Place("sms.sends", 0, number), "because": None, "judged_at": NOW + number,
        "version": Version("0", "r", "c"),
    }  # fmt: skip
    return FlagEvent(**{**usual, **fields})


def late() -> Because:
    """A fact that changed an answer."""
    return Because("sms.consents", "c1")


def a_disposition(number: int = 0, about: str | None = None, **fields: Any) -> Disposition:
    """A confirmed flag of C5."""
    usual: dict[str, Any] = {
        "disposition_id": f"d{number}", "about": About("flag", about or f"{number:032x}"), "action": "confirm",
        "rule": "C5_AFTER_OPT_OUT", "subject": Subject("O1", "云岭商贸"), "until": None, "by": "zhang",
        "role": "analyst", "why": "looked at it", "made_at": NOW + number,
    }  # fmt: skip
    return Disposition(**{**usual, **fields})


def a_breach(number: int = 0, **fields: Any) -> BreachEvent:
    """An open B4 about sp1 on 10690001."""
    usual: dict[str, Any] = {
        "breach_id": f"b{number}", "status": "open", "rule": "B4_HARVEST", "subject": {"sp": "sp1", "port": "10690001"},
        "window": {"from": NOW, "until": NOW + 1}, "measures": {"honeypots": 1}, "limit": {"honeypots": 1},
        "opened_at": NOW + number, "closed_at": None,
    }  # fmt: skip
    return BreachEvent(**{**usual, **fields})


def a_desk(tokens: Path | None = None, **settings: str) -> Desk:
    """A desk that follows nothing, beside an aggregator that has counted nothing; `tokens`: a folder for their file."""
    if tokens is not None:
        path = tokens / "tokens"
        lines = (f"{hash_of(token)} {role} 2099-01-01T00:00:00Z a {role}" for role, token in TOKENS.items())
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        settings["desk__tokens"] = str(path)
    made = settings_of(**settings)
    aggregator = Aggregator(made, _metrics(made, PREPARED))
    aggregator._judging = a_judging(REGISTRIES, aggregator.judging)
    aggregator.folding = Folding(Board(aggregator._limits), MemoryStore())
    aggregator.informed = True
    aggregator._stream = NothingToRead()  # type: ignore[assignment]
    return Desk(made, aggregator)


class NothingToRead:
    """A ledger that ends where it was read to."""

    lag = 0


@asynccontextmanager
async def asked(desk: Desk, role: str | None = None) -> AsyncIterator[TestClient[Any, Any]]:
    """A client of a desk, with the token of a role."""
    app = web.Application(middlewares=[tell_problems])
    routes.add_to(app, desk)
    headers = {"Authorization": f"Bearer {TOKENS[role]}"} if role else {}
    async with TestClient(TestServer(app), headers=headers) as client:
        yield client


async def told(answer: Any) -> Any:
    """The JSON of an answer."""
    return msgspec.json.decode(await answer.read())
