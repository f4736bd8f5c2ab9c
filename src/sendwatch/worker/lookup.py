"""Look-ups that a worker answers on its own port: what it would say of planned sends, or says of a judged one.

Belongs here: who may ask, and reading dossiers a few at a time between the rounds of the hot path. Not here: judging
(`planned.py`, `explain.py`), asking (`desk/workers.py`).

Reading only: nothing is emitted, nothing is stored. One question at a time and a slice of it at once, so that a round
waits for some milliseconds at most; who asks meanwhile is told to come again.

    GET  /-/owned      {"name", "ready", "partitions"}: those whose facts have caught up
    POST /-/planned    a `Lookup`   -> an `Answered`
    POST /-/explained  a `Judged`   -> every rule's answer, as `sendwatch explain` gives it

409: not the owner, or facts have not caught up; 410: too old, its neighbours are not kept; 503: busy.
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import secrets
import socket
from collections import Counter
from typing import TYPE_CHECKING, Any

import msgspec
from faust.web import View
from msgspec import Struct

from sendwatch import dossier as dossiers
from sendwatch.dossier import Dossier
from sendwatch.engine.explain import Explained
from sendwatch.engine.planned import Answered, Lookup, by_recipient, judge_planned, memory_of, read_all
from sendwatch.events import Rejected, Send
from sendwatch.facts import add_recipient, facts_of_send, is_whole, kept_of
from sendwatch.judge import answers
from sendwatch.report.explanation import as_json, as_text

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from sendwatch.engine.judging import Judging
    from sendwatch.engine.partition import Partition
    from sendwatch.settings import Settings, Web
    from sendwatch.worker.worker import Worker

SLICE = 25
EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104 - what it is compared with


class Judged(Struct, frozen=True):
    """A record of `sms.sends` that is to be explained."""

    partition: int
    offset: int
    timestamp: int
    key: bytes
    value: bytes


class CannotAnswerError(Exception):
    """This worker cannot answer; `status` is HTTP's."""

    def __init__(self, status: int, why: str) -> None:
        """`why` in a word."""
        super().__init__(why)
        self.status = status


class Lookups:
    """Answers for the worker of this process; `worker` gives None until there is one."""

    def __init__(self, settings: Settings, judging: Judging, worker: Callable[[], Worker | None]) -> None:
        """Bind the key that askers show."""
        key = settings.desk.lookup_key
        self._key = key.reveal() if key is not None else None
        self._name = settings.kafka.instance_id or settings.kafka.client_id
        self._judging = judging
        self._worker = worker
        self._turn = asyncio.Lock()

    def may(self, authorization: str, remote: str | None) -> bool:
        """Whether who asks shows the key; where there is none, whether it asks from this machine."""
        if self._key is not None:
            return hmac.compare_digest(authorization.encode(), f"Bearer {self._key}".encode())
        try:
            return ipaddress.ip_address(remote or "").is_loopback
        except ValueError:
            return False

    def owned(self) -> dict[str, Any]:
        """The partitions whose recipients it can answer for."""
        worker = self._worker()
        ready = [] if worker is None else sorted(number for number, each in worker.owned.items() if not each.held)
        return {"name": self._name, "ready": worker is not None and worker.ready, "partitions": ready}

    async def planned(self, ask: Lookup) -> Answered:
        """What the rules would say of planned sends; raises CannotAnswerError."""
        if self._turn.locked():
            raise CannotAnswerError(503, "busy")
        async with self._turn:
            partition, judging = self._partition(ask.partition), self._judging
            memory = memory_of(judging)
            sends, found = read_all(judging, [ask], f"planned-{secrets.token_hex(8)}")
            recipients = list(by_recipient(sends).items())
            for start in range(0, len(recipients), SLICE):
                await asyncio.sleep(0)  # the hot path's turn
                if self._partition(ask.partition) is not partition:
                    raise CannotAnswerError(409, "not_owned")
                some = recipients[start : start + SLICE]
                for dossier, (_, theirs) in zip(self._dossiers(partition, [one for one, _ in some]), some, strict=True):
                    found += judge_planned(judging, memory, dossier, theirs)
            return Answered(found, judging.version.rules, judging.version.config)

    def explained(self, ask: Judged) -> dict[str, Any]:
        """Every rule's answer about a judged send, as text and as plain values; raises CannotAnswerError."""
        partition, judging = self._partition(ask.partition), self._judging
        send = judging.readers["sends"](ask.key, ask.value, ask.timestamp, Counter())
        if not isinstance(send, Send):
            raise CannotAnswerError(422, send.reason if isinstance(send, Rejected) else "no_value")
        standing = partition.position.standing
        if ask.offset >= standing.positions.get("sends", 0):
            raise CannotAnswerError(409, "not_judged_yet")
        if not is_whole(send) or send.at < dossiers.oldest_kept(standing.event_time, judging.parameters.window):
            raise CannotAnswerError(410, "not_at_hand")
        (dossier,) = self._dossiers(partition, [send.recipient])
        facts = facts_of_send(send, judging.registry, judging.parameters)
        kept = dossier.find(send.id)
        if kept is None:
            kept = kept_of(facts, send.request, ask.offset, ask.timestamp, dossiers.digest_of(send))
        whole = add_recipient(facts, kept, dossier, judging.registry)
        explained = Explained(whole, answers(whole, judging.rulebook))
        return {"text": as_text(explained), **as_json(explained)}

    def _partition(self, number: int) -> Partition:
        worker = self._worker()
        owned = worker.owned.get(number) if worker is not None else None
        if owned is None or owned.held:
            raise CannotAnswerError(409, "not_owned" if owned is None else "not_ready")
        return owned.partition

    def _dossiers(self, partition: Partition, recipients: Sequence[str]) -> list[Dossier]:
        """Copies, as they lie in the store."""
        packed = partition.packed([self._judging.pseudonyms.internal(each) for each in recipients])
        return [Dossier() if each is None else dossiers.unpack(each) for each in packed]


def address_of(web: Web) -> str:
    """Where a worker's look-ups are answered, as it tells others: host:port."""
    host = socket.gethostname() if web.host in EVERYWHERE else web.host
    return web.advertised or (f"[{host}]:{web.port}" if ":" in host else f"{host}:{web.port}")


def add_routes(app: Any, lookups: Lookups) -> None:
    """Add the look-ups to a worker's pages."""

    async def owned(_request: Any) -> Any:
        return lookups.owned()

    async def planned(request: Any) -> Any:
        return await lookups.planned(msgspec.json.decode(await request.read(), type=Lookup))

    async def explained(request: Any) -> Any:
        return lookups.explained(msgspec.json.decode(await request.read(), type=Judged))

    app.page("/-/owned")(_page("get", lookups, owned))
    app.page("/-/planned")(_page("post", lookups, planned))
    app.page("/-/explained")(_page("post", lookups, explained))


def _page(method: str, lookups: Lookups, answer: Callable[[Any], Awaitable[Any]]) -> type[Any]:
    """A page that lets those in who may ask, and tells no in one form."""

    async def go(view: Any, request: Any) -> Any:
        if not lookups.may(request.headers.get("Authorization", ""), request.remote):
            return view.json({"why": "not_allowed"}, status=403)
        try:
            return view.bytes(msgspec.json.encode(await answer(request)), content_type="application/json")
        except CannotAnswerError as error:
            return view.json({"why": str(error)}, status=error.status)
        except msgspec.DecodeError as error:
            return view.json({"why": str(error)}, status=422)

    return type("LookupPage", (View,), {method: go})
