"""A drill: an alert that says it is one goes the way of a page, and is over after a while.

Belongs here: its labels and texts, handing it to Alertmanager (API v2), what Alertmanager says it does with it. Not
here: routes and receivers (`deploy/alertmanager/`), real alerts (`deploy/prometheus/`).

It ends by itself, even if this process is killed: Alertmanager is told the end with the beginning.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import aiohttp
from msgspec import Struct
from yarl import URL

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

NAME: Final = "SendwatchDrill"
WITHIN: Final = aiohttp.ClientTimeout(total=10)
GRACE: Final = 60.0  # seconds that it lasts longer if nobody ends it
SEEN_WITHIN: Final = 10.0


class Wish(Struct, frozen=True):
    """What the caller asked for; `runbook` and `grafana` are what links begin with, as in `prometheus.yml`."""

    alertmanager: str = "http://127.0.0.1:9093"
    severity: str = "critical"
    category: str = "pipeline"
    cluster: str = "sendwatch"
    seconds: float = 120.0
    runbook: str = "deploy/README.md"
    grafana: str = "http://127.0.0.1:3000"


class CannotDrillError(Exception):
    """Alertmanager did not take the drill. The message says why, without any password in the address."""


def labels_of(wish: Wish) -> dict[str, str]:
    """What the drill is routed by: as an alert of ours, and marked."""
    return {
        "alertname": NAME,
        "severity": wish.severity,
        "category": wish.category,
        "service": "sendwatch",
        "cluster": wish.cluster,
        "drill": "true",
    }


def alert_of(wish: Wish, began_at: float, ends_at: float) -> dict[str, Any]:
    """The alert as Alertmanager takes it; times are seconds since 1970 UTC."""
    return {
        "labels": labels_of(wish),
        "annotations": {
            "summary": "[DRILL] Nothing is wrong; this tests the way of an alert · [演练] 一切正常，仅测试告警链路",
            "description": (
                "Somebody ran sendwatch alert-test. Answer as you would answer a real one, then do nothing: it ends "
                "by itself.\n有人执行了 sendwatch alert-test。请按真实告警应答，无需处置，演练会自行结束。"
            ),
            "runbook_url": f"{wish.runbook}#drills",
            "dashboard_url": f"{wish.grafana}/d/sendwatch-slo",
        },
        "startsAt": _iso(began_at),
        "endsAt": _iso(ends_at),
    }


async def run(wish: Wish, tell: Callable[[str], None], pause: Callable[[float], Any] = asyncio.sleep) -> None:
    """Fire, say who is told, wait, end it. Raises CannotDrillError."""
    address = URL(wish.alertmanager)
    shown = str(address.with_user(None)) if address.host else wish.alertmanager
    began_at = time.time()
    try:
        async with aiohttp.ClientSession(timeout=WITHIN) as session:
            await _post(session, address, shown, alert_of(wish, began_at, began_at + wish.seconds + GRACE))
            try:
                tell(f"{NAME} ({wish.severity}, {wish.category}) fires at {shown}")
                for sentence in told(await _look(session, address, wish)):
                    tell(sentence)
                tell(f"it ends in {wish.seconds:g} s; look whether it has come, and whether its end comes")
                await pause(wish.seconds)
            finally:
                await _post(session, address, shown, alert_of(wish, began_at, time.time()))
            tell("ended; receivers are told within the group's interval (5 minutes as shipped)")
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        why = str(error) or f"no answer within {WITHIN.total:g} s"
        raise CannotDrillError(f"Alertmanager cannot be reached at {shown}: {why}") from error


def told(found: Sequence[Any]) -> list[str]:
    """What Alertmanager does with the drill, in sentences."""
    if not found:
        return [f"Alertmanager took it, but has not shown it within {SEEN_WITHIN:g} s"]
    (alert,) = found[:1]
    sentences = [f"it goes to {', '.join(each['name'] for each in alert['receivers'])}"]
    if silenced := alert["status"]["silencedBy"]:
        sentences.append(f"NOBODY IS TOLD: silenced by {', '.join(silenced)}")
    if alert["status"]["inhibitedBy"]:
        sentences.append("NOBODY IS TOLD: another alert that is firing holds it back")
    return sentences


async def _post(session: aiohttp.ClientSession, address: URL, shown: str, alert: dict[str, Any]) -> None:
    async with session.post(address / "api/v2/alerts", json=[alert]) as answer:
        if answer.status != 200:
            said = (await answer.text())[:200].strip()
            raise CannotDrillError(f"{shown} does not take alerts ({answer.status}): {said}")


async def _look(session: aiohttp.ClientSession, address: URL, wish: Wish) -> list[Any]:
    """The drill as Alertmanager has it, once it has decided about it."""
    asked = [("filter", f'{name}="{value}"') for name, value in labels_of(wish).items()]
    give_up_at = time.monotonic() + SEEN_WITHIN
    while True:
        async with session.get(address / "api/v2/alerts", params=asked) as answer:
            found: list[Any] = await answer.json() if answer.status == 200 else []
        if (found and found[0]["status"]["state"] != "unprocessed") or time.monotonic() > give_up_at:
            return found
        await asyncio.sleep(0.2)


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()
