"""What is pushed to the pages that are open, as server-sent events.

Belongs here: who listens, what waits for whom, and the form of an event. Not here: what happens (`following.py`) and
how it is told (`at_hand.py`). Bounded: who does not read loses what is pushed and is told to fetch anew; flags are
gathered and pushed a few times a second, the latest of them where there are many.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import web

from sendwatch.desk.gate import HEADERS, RefusedError
from sendwatch.desk.say_counts import Some

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sendwatch.desk.at_hand import AtHand
    from sendwatch.desk.flags import Held

MOST_LISTENERS = 200
MOST_WAITING = 64
MOST_FLAGS = 50
RETRY_MS = 2000

encode = msgspec.json.Encoder().encode


def event(name: str, data: Any, seq: int) -> bytes:
    """One event; JSON has no line breaks in it."""
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (seq, name.encode(), encode(data))


class Listener:
    """One open page."""

    def __init__(self) -> None:
        """Nothing waits."""
        self.waiting: asyncio.Queue[bytes | None] = asyncio.Queue(MOST_WAITING)
        self.lost = False

    def push(self, data: bytes) -> None:
        """Hand an event over; where there is no room for it, note that something was lost."""
        try:
            self.waiting.put_nowait(data)
        except asyncio.QueueFull:
            self.lost = True


class Stream:
    """All open pages, and the flags that wait to be pushed."""

    def __init__(self, at_hand: AtHand) -> None:
        """Nobody listens yet."""
        self._at_hand = at_hand
        self._listeners: set[Listener] = set()
        self._flags: dict[str, Held] = {}
        self._left_out = 0
        self._closed = False

    def __len__(self) -> int:
        """How many pages are open."""
        return len(self._listeners)

    def add_flags(self, some: Iterable[Held]) -> None:
        """Have flags pushed with the next lot."""
        if not self._listeners:
            return
        for held in some:
            self._flags.pop(held.event.flag_id, None)
            self._flags[held.event.flag_id] = held
            if len(self._flags) > MOST_FLAGS:
                del self._flags[next(iter(self._flags))]
                self._left_out += 1

    def push_flags(self) -> None:
        """Push the flags that wait."""
        if self._flags:
            self.push("flags", self._some(list(self._flags.values()), self._left_out))
            self._flags, self._left_out = {}, 0

    def push(self, name: str, data: Any) -> None:
        """Push one event to everybody."""
        if self._listeners:
            told = event(name, data, self._at_hand.flags.seq)
            for listener in self._listeners:
                listener.push(told)

    def close(self) -> None:
        """Let all pages go."""
        self._closed = True
        for listener in self._listeners:
            while not listener.waiting.empty():
                listener.waiting.get_nowait()
            listener.push(b"")

    async def serve(self, request: web.Request, hello: Any) -> web.StreamResponse:
        """Push to one page until it goes away; first what changed since the event that it knows."""
        if len(self._listeners) >= MOST_LISTENERS or self._closed:
            raise RefusedError(503, "Too many pages are open.", {"Retry-After": "10"})
        headers = {**HEADERS, "Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no"}
        answer = web.StreamResponse(headers=headers)
        listener = Listener()
        self._listeners.add(listener)
        try:
            await answer.prepare(request)
            await answer.write(b"retry: %d\n\n" % RETRY_MS + event("hello", hello, self._at_hand.flags.seq))
            await self._catch_up(answer, request.headers.get("Last-Event-ID", ""))
            with suppress(ConnectionError):
                await self._relay(listener, answer)
        finally:
            self._listeners.discard(listener)
        return answer

    async def _catch_up(self, answer: web.StreamResponse, known: str) -> None:
        flags = self._at_hand.flags
        if known.isdigit() and int(known) < flags.seq:
            missed = list(flags.since(int(known)))
            kept = missed[-MOST_FLAGS:]
            await answer.write(event("flags", self._some(kept, len(missed) - len(kept)), flags.seq))

    async def _relay(self, listener: Listener, answer: web.StreamResponse) -> None:
        while data := await listener.waiting.get():
            await answer.write(data)
            if listener.lost and listener.waiting.empty():
                listener.lost = False
                await answer.write(event("changed", {}, self._at_hand.flags.seq))

    def _some(self, held: list[Held], left_out: int) -> Some:
        return Some([self._at_hand.brief(each) for each in held], left_out)
