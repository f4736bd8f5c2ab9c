"""The commands that show it all on made-up traffic.

Belongs here: arguments. Not here: any answer (`demo/`, `simulate/`).
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, NoReturn

import click

from sendwatch.cli.options import configured, finish, output, settings_at

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from sendwatch.cli.options import Output


@click.command()
@click.option("--story", type=click.Choice(["week", "month"]), default="week", show_default=True,
              help="A week with flags planted, or a month with breaches planted.")  # fmt: skip
@click.option("--sends", type=click.IntRange(1), help="How many sends: 50,000 in a week, 6,000 beside a month's cases.")
@click.option("--rate", type=float, help="Sends a second; as fast as it goes where not given.")
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same bytes.")
@click.option("--partitions", default=4, show_default=True)
@click.option("--late", type=click.FloatRange(0, 1), help="The part of a week's facts that are recorded late.")
@click.option("--workers", type=click.IntRange(1), help="How many workers judge a month.")
@click.option("--kill", is_flag=True, help="Kill -9 a worker of a month, and then what adds up, and start them again.")
@click.option("--exit", "end", is_flag=True, help="End when everything is judged; status 1 if not as planted.")
@click.option("--audit", is_flag=True, help="At the end of a week, compute all apart from the topics, and compare.")
@output
def demo(
    story: str, sends: int | None, rate: float | None, seed: int, partitions: int, late: float | None,
    workers: int | None, kill: bool, end: bool, audit: bool, output: Output,
) -> None:  # fmt: skip
    """Show it all on an embedded broker, no Kafka needed.

    A simulated week of 双11, judged by a real worker: what was planted and what was found. Or a month of 618 in a
    minute: which breaches open and close, and every sum counted anew.
    """
    from sendwatch import demo as the_demo
    from sendwatch.demo import month

    if story == "month":
        if late is not None or audit:
            raise click.UsageError("--late and --audit are a week's")
        wanted = month.Wish(
            sends=sends or 6000, rate=rate, seed=seed, partitions=partitions, workers=workers or 1, kill=kill,
            exit=end, output=output,
        )  # fmt: skip
        _end_with(month.run(wanted))
    if workers is not None or kill:
        raise click.UsageError("--workers and --kill are a month's")
    wish = the_demo.Wish(
        sends=sends or 50_000, rate=rate, seed=seed, partitions=partitions, late=late or 0.0, exit=end, audit=audit,
        output=output,
    )  # fmt: skip
    _end_with(the_demo.run(wish))


def _end_with(shown: Coroutine[Any, Any, bool]) -> NoReturn:
    from sendwatch.broker import BrokerFailedError

    try:
        sys.exit(finish(_until_told_to_end(shown)))
    except BrokerFailedError as error:
        click.echo(str(error), err=True)
        sys.exit(2)


async def _until_told_to_end(shown: Coroutine[Any, Any, bool]) -> int:
    """The exit status. SIGTERM ends it in order, as Ctrl-C does, with every process that it started."""
    import asyncio
    import signal

    loop, showing, told = asyncio.get_running_loop(), asyncio.ensure_future(shown), asyncio.Event()

    def end() -> None:
        loop.remove_signal_handler(signal.SIGTERM)  # the next one does not wait
        told.set()
        showing.cancel()

    loop.add_signal_handler(signal.SIGTERM, end)
    try:
        return 0 if await showing else 1
    except asyncio.CancelledError:
        if not told.is_set():
            raise
        return 128 + signal.SIGTERM


@click.command()
@configured
@click.option("--rate", type=click.FloatRange(0, 10_000, min_open=True), default=20.0, show_default=True,
              help="Sends a second; started now, the mean of a day.")  # fmt: skip
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same carrier.")
@click.option("--sends", type=click.IntRange(1), help="End after so many; on and on where not given.")
@click.option("--start", default="now", show_default=True, help="now, or the ISO date of a week to be told as it was.")
@click.option("--recipients", type=click.IntRange(500), default=20_000, show_default=True)
@click.option("--owners", type=click.IntRange(60), default=2_000, show_default=True)
def simulate(
    path: str | None, rate: float, seed: int, sends: int | None, start: str, recipients: int, owners: int
) -> None:
    """Write a made-up carrier's traffic into the topics.

    Registries and consents first, then its sends, until Ctrl-C.
    """
    from sendwatch.kafka import connection
    from sendwatch.simulate import stream

    try:
        wish = stream.Wish(rate, seed, sends, stream.moment(start), recipients, owners)
    except ValueError:
        raise click.BadParameter(f"{start!r} is neither now nor an ISO date", param_hint="--start") from None
    try:
        written = finish(stream.run(settings_at(path), wish, lambda sentence: click.echo(sentence, err=True)))
    except (connection.CannotConnectError, stream.CannotSimulateError) as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    click.echo(f"{written:,} sends written", err=True)
