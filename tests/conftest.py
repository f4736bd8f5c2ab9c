"""The broker that live tests talk to: embedded by default, a real Kafka with `--broker=kafka`."""

import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, settings
from kafka import RealKafka

from sendwatch.broker import Embedded
from sendwatch.demo.stage import Stage

# The same examples on every run and machine, and no deadline: what is found by chance is looked for by hand
# (`pytest --hypothesis-profile=search`), not by a build that others wait for.
settings.register_profile("same", deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
settings.register_profile("search", deadline=None, max_examples=1000, suppress_health_check=list(HealthCheck))
settings.load_profile("same")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--broker",
        choices=["embedded", "kafka"],
        default="embedded",
        help="what the live tests talk to: the embedded broker, or a real Kafka started for them (java, mvn)",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--broker") == "kafka":
        return
    skip = pytest.mark.skip(reason="needs a real Kafka: make test-kafka")
    for item in items:
        if item.get_closest_marker("kafka"):
            item.add_marker(skip)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def bootstrap(pytestconfig: pytest.Config) -> AsyncIterator[str]:
    """The address of the session's one broker; its topics are shared, so name them after `prefix`."""
    async with RealKafka() if pytestconfig.getoption("--broker") == "kafka" else Embedded() as broker:
        yield broker.bootstrap


@pytest.fixture
def prefix() -> str:
    """What this test's topics and groups begin with, and no other test's."""
    return f"t{uuid.uuid4().hex[:12]}."


@pytest.fixture
async def stage(
    bootstrap: str, prefix: str, tmp_path: Path, pytestconfig: pytest.Config, request: pytest.FixtureRequest
) -> Stage:
    """Topics of this test's own, as many partitions as its module says (`PARTITIONS`), and a folder for its workers."""
    embedded = pytestconfig.getoption("--broker") == "embedded"
    made = Stage(bootstrap, tmp_path, partitions=request.module.PARTITIONS, embedded=embedded, prefix=prefix)
    made.overrides["kafka.group"] = prefix + "group"
    made.settings = made.settings_of({})
    await made.make_topics()
    return made
