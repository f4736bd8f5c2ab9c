"""What a worker says of itself: healthy while its loop goes round, ready while it judges all that it owns."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest

from engine_builders import Cluster, a_consent, a_send, settings_of, settle
from sendwatch.app import HEALTHY_WITHIN, READY_WITHIN, Live


@pytest.fixture
def live() -> Live:
    """A service that has not been started."""
    return Live(settings_of(), until_end=False)


def test_it_is_not_ready_before_it_has_a_worker(live: Live) -> None:
    """Connecting takes its time; meanwhile the pages answer."""
    assert not live.ready
    assert live.healthy


def test_it_is_unhealthy_when_its_loop_hangs(live: Live) -> None:
    """Nothing has ticked for a while: a restart would mend that."""
    live._ticked_at = time.monotonic() - HEALTHY_WITHIN - 1
    assert not live.healthy


@pytest.mark.parametrize(
    ("judging", "seconds_ago", "ready"), [(True, 0.0, True), (False, 0.0, False), (True, READY_WITHIN + 1, False)]
)
def test_it_is_ready_while_rounds_go_on(live: Live, judging: bool, seconds_ago: float, ready: bool) -> None:
    """All sends judged, and lately: not when a partition is held, and not when no round has ended for long."""
    worker: Any = SimpleNamespace(ready=judging, last_round=time.time() - seconds_ago)
    live.worker = worker
    assert live.ready is ready


async def test_what_it_did_is_on_the_metrics_page() -> None:
    """Lag, positions and readiness of a worker that has worked, without any recipient."""
    cluster = Cluster()
    cluster.produce(a_send(), a_consent())
    worker = await settle(await cluster.worker())
    await worker.measure()
    page = worker._metrics.page().decode()
    assert "13912345678" not in page
    told = dict(line.rsplit(" ", 1) for line in page.splitlines() if not line.startswith("#"))
    assert told["sendwatch_worker_ready"] == "1.0"
    assert told['sendwatch_committed_offset{partition="0",topic="sms.sends"}'] == "1.0"
    lags = [value for name, value in told.items() if name.startswith("sendwatch_consumer_lag_records{")]
    assert lags
    assert set(lags) == {"0.0"}
