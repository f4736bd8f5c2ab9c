"""What the process that adds up does while Kafka is away."""

from __future__ import annotations

from typing import Any

import pytest
from aiokafka.errors import KafkaTimeoutError, TopicAuthorizationFailedError

from engine_builders import settings_of
from sendwatch.aggregator.aggregator import Aggregator
from sendwatch.app import _metrics
from sendwatch.engine.judging import prepare


class Failing:
    """A consumer that is never answered."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def assign(self, _places: object) -> None:
        """Nothing is asked for yet."""

    def unsubscribe(self) -> None:
        """Nothing was subscribed to."""

    async def beginning_offsets(self, _places: object) -> Any:
        """Where a partition begins."""
        raise self._error


async def test_what_was_told_is_asked_for_again(caplog: pytest.LogCaptureFixture) -> None:
    """Breaches are put right before any is published: so it waits for an answer, and says so."""
    aggregator = an_aggregator(KafkaTimeoutError())
    assert await aggregator._told() is None
    assert "trying again" in caplog.text


async def test_a_right_that_is_missing_ends_it() -> None:
    """No waiting gives it."""
    with pytest.raises(TopicAuthorizationFailedError):
        await an_aggregator(TopicAuthorizationFailedError())._told()


def an_aggregator(error: Exception) -> Aggregator:
    """One whose reader of the topics meets this error."""
    settings = settings_of()
    aggregator = Aggregator(settings, _metrics(settings, prepare(settings)))
    aggregator._aside = Failing(error)
    return aggregator
