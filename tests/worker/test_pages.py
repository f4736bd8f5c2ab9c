"""What a worker says of itself: healthy while its loop goes round, ready while it judges all that it owns."""

from __future__ import annotations

import time

import pytest

from engine_builders import Cluster, a_consent, a_send, settings_of, settle
from sendwatch.app import HEALTHY_WITHIN, Live
from sendwatch.worker.worker import LATELY


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


@pytest.mark.parametrize("ago", ["_went_round_at", "_answered_at"])
async def test_it_is_ready_while_it_goes_round_and_kafka_answers(live: Live, ago: str) -> None:
    """All sends judged, and lately: not when no round has ended for long, nor when Kafka has not answered for long."""
    worker = live.worker = await settle(await Cluster().worker())
    assert live.ready
    setattr(worker, ago, time.monotonic() - LATELY)
    assert not live.ready


async def test_it_is_not_ready_while_a_partition_is_held() -> None:
    """Its sends wait for what they are judged by."""
    worker = await settle(await Cluster().worker())
    worker.owned[0].held = True
    assert not worker.ready


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
