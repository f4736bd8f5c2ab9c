"""`make bench`: a pinned Kafka, filled topics, a pinned worker, and what it does in a CPU-second.

Belongs here: the arguments and the order of events. Exit status: 0, or 1 where the flags were not the expected ones,
which makes every number void.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import sys
import tempfile
import time
from hashlib import blake2b
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct, structs

from bench import further, report, sampler
from bench.broker import KeptKafka
from bench.loading import TRUTH, Truth
from bench.outcome import faults, progress
from bench.pinned import PinnedWorker, on_core
from bench.site import Site
from bench.town import Wish
from sendwatch import rules
from sendwatch.demo.stage import Stage
from sendwatch.kafka.topics import admin
from sendwatch.topics import RECIPIENT_KEYED, REGISTRIES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.pinned import Course
    from bench.report import Figures

HERE = Path(__file__).parent
CACHE = HERE.parents[1] / ".cache" / "bench"
KEPT_WISHES = 3  # filled topics of so many wishes stay on disk
PREFIX = "bench-"  # of everything that a run writes
SETS = {
    "full": (),
    "ten_rules": ("C1", "C2", "C5", "C8", "G1", "G2", "G3", "G4", "G8", "B1"),
    "seven_rules": ("C1", "C2", "C5", "C8", "G2", "G3", "G4"),
}
INPUTS = {*RECIPIENT_KEYED, *REGISTRIES}


class Asked(Struct, frozen=True):
    """The arguments."""

    wish: Wish
    sets: dict[str, tuple[str, ...]]
    repeat: int
    profile: bool
    json: bool
    mode: str
    workers: int
    keep: bool


def arguments(given: Sequence[str]) -> Asked:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="make bench ARGS='…'", description=__doc__)
    say = parser.add_argument
    say("--quick", action="store_true", help="100,000 sends to 100,000 recipients: about a minute")
    say("--sends", type=int, help="default 500,000")
    say("--recipients", type=int, help="default 1,000,000")
    say("--partitions", type=int, choices=(4, 12), default=4)
    say("--spread", choices=("zipf", "uniform"), default="zipf", help="who receives how much (default zipf)")
    say("--flags", type=float, default=0.02, help="part of the sends that is to be flagged (default 0.02)")
    say("--rules", action="append", default=[], metavar="SET",
        help="full, ten_rules, seven_rules or C1,G2,…; again for another column (default full, ten_rules)")  # fmt: skip
    say("--repeat", type=int, default=1, help="runs of each set, in turn; medians are shown")
    say("--seed", type=int, default=1)
    say("--profile", action="store_true", help="sample where the worker is; the numbers are then a little worse")
    say("--output", choices=("text", "json"), default="text")
    say("--keep", action="store_true", help="append the results to tests/bench/results.md")
    modes = parser.add_mutually_exclusive_group()
    modes.add_argument("--latency", dest="mode", action="store_const", const="latency", default="judging",
        help="instead: p50 and p99 of flags at 2,000/s and at 25, 50, 75 %% of its own best")  # fmt: skip
    modes.add_argument("--pressure", dest="mode", action="store_const", const="pressure",
        help="instead: twice what it can take, and how it gets over it")  # fmt: skip
    modes.add_argument("--corrections", dest="mode", action="store_const", const="corrections",
        help="instead: what it costs that late facts correct (plain, forgetful, 2 %% late, early)")  # fmt: skip
    modes.add_argument("--rebuild", dest="mode", action="store_const", const="rebuild",
        help="instead: a cold and a warm start only (--recipients 10000000 --sends 1000)")  # fmt: skip
    modes.add_argument("--workers", type=int, default=0, metavar="N",
        help="instead: one worker, then as many as that, and the constants of capacity planning")  # fmt: skip
    modes.add_argument("--model", dest="mode", action="store_const", const="model",
        help="instead: what a province and the nation need, by the constants kept; no Kafka")  # fmt: skip
    args = parser.parse_args(given)
    size = 100_000 if args.quick else None
    wish = Wish(
        sends=args.sends or size or Wish().sends,
        recipients=args.recipients or size or Wish().recipients,
        partitions=args.partitions, flags=args.flags, spread=args.spread, seed=args.seed,
    )  # fmt: skip
    sets = {name: SETS.get(name) or tuple(name.split(",")) for name in args.rules or ("full", "ten_rules")}
    sets |= {"full": ()} if "full" in sets else {}
    mode = "scale_out" if args.workers else args.mode
    return Asked(wish, sets, args.repeat, args.profile, args.output == "json", mode, args.workers, args.keep)


class Bench:
    """One call of the benchmark, on a Kafka that is up."""

    def __init__(self, asked: Asked, bootstrap: str, core: int, folder: Path) -> None:
        """`core` is the worker's; stores and logs go to `folder`."""
        self._asked = asked
        self._bootstrap = bootstrap
        self._core = core
        self._folder = folder
        self._known = rules.discover()
        self._kinds = [kind for kind in structs.asdict(self._stage(0).settings.topics.names) if kind not in INPUTS]

    def _stage(self, number: int, off: Sequence[str] = ()) -> Stage:
        """Settings for a run: the inputs are everybody's, what comes out and what is known are its own."""
        stage = Stage(self._bootstrap, self._folder, partitions=self._asked.wish.partitions, embedded=False)
        if number:
            run = f"{PREFIX}{os.getpid()}-{number}"
            stage.overrides |= {f"topics.names.{kind}": f"{run}.{kind}" for kind in self._kinds}
            stage.overrides |= {"kafka.group": run} | {f"rules.{rule}.mode": "off" for rule in off}
            stage.settings = stage.settings_of({})
        return stage

    async def fill(self, folder: Path) -> Truth:
        """Fill the input topics, unless they are."""
        if not (folder / TRUTH).exists():
            tell(f"writing {self._asked.wish.sends:,} sends and {self._asked.wish.recipients:,} recipients' consents …")
            await self._stage(0).make_topics()
            wish = msgspec.json.encode(self._asked.wish).decode()
            command = (sys.executable, "-m", "bench.loading", self._bootstrap, str(folder), wish)
            process = await asyncio.create_subprocess_exec(*command)
            if await process.wait():
                sys.exit(f"filling the topics failed ({process.returncode})")
        return msgspec.json.decode((folder / TRUTH).read_bytes(), type=Truth)

    async def clear(self) -> None:
        """Delete what runs wrote, of this call and of earlier ones that were cut short."""
        async with admin(self._stage(0).settings, "deleting topics", lambda _: None) as client:
            left = [name for name in await client.list_topics() if name.startswith(PREFIX)]
            if left:
                await client.delete_topics(left)

    async def measure_yardstick(self) -> float:
        """Sends that are read and decoded in a CPU-second, the median of three times."""
        partitions = str(self._asked.wish.partitions)
        command = (sys.executable, "-m", "bench.yardstick", self._bootstrap, "sms.sends", partitions)
        rates: list[float] = []
        for _ in range(3):
            with on_core(self._core):
                process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
            told, _ = await process.communicate()
            found = msgspec.json.decode(told)
            rates.append(found["records"] / found["cpu_seconds"])
        return median(rates)

    def _on(self, chosen: Sequence[str]) -> frozenset[str]:
        """The rules of a set; all where it names none."""
        return frozenset(
            each for each in self._known if not chosen or each.partition("_")[0] in chosen or each in chosen
        )

    def site(self, truth: Truth, yardstick: float, kafka: KeptKafka, cores: Sequence[int]) -> Site:
        """What other measurements are given; of the sets of rules the first."""
        on = self._on(next(iter(self._asked.sets.values())))
        off = sorted(set(self._known) - on)
        workers = sorted(cores, reverse=True)
        return Site(
            self._asked.wish, truth, on, lambda number: self._stage(number, off), kafka, self._folder, workers,
            yardstick, tell,
        )  # fmt: skip

    async def measure(self, name: str, number: int, truth: Truth, yardstick: float) -> Figures:
        """One run of one set of rules: a cold start until ready, then a warm one that judges everything."""
        chosen = self._asked.sets[name]
        on = self._on(chosen)
        stage = self._stage(number, sorted(set(self._known) - on))
        await stage.make_topics()
        folder = self._folder / f"run-{number}"
        folder.mkdir()
        worker = PinnedWorker(folder, self._core, stage.overrides)
        courses: dict[str, Course] = {}
        for start in ("cold", "judging"):
            profile = folder / f"{start}.samples" if self._asked.profile else None
            courses[start] = await worker.run(until_end=start == "judging", profile=profile)
            size = sum(each.stat().st_size for each in (folder / "state").rglob("*") if each.is_file())
            tell(
                f"{name}: {size / self._asked.wish.recipients:.0f} bytes of disk per recipient after the {start} start"
            )
        sends = await progress(stage.settings, "sends", courses["judging"].started_at)
        facts = await progress(stage.settings, "consents")
        void = await faults(stage.settings, truth.flags, on, truth.counts)
        expected = sum(rule in on for found in truth.flags.values() for rule in found)
        if self._asked.profile:
            judging = courses["judging"]
            stretches = (
                ("judges", "judging", report.steady_from(sends), sends.last_at),
                ("folds facts", "cold", facts.ranges[0][0], facts.last_at),
                ("makes ready for a warm start", "judging", judging.started_at, judging.ready_at or judging.ended_at),
            )
            tell_profile(name, folder, stretches)
        shutil.rmtree(folder / "state")
        return report.figures(name, (courses["cold"], courses["judging"]), sends, facts, yardstick, expected, void)


def tell(line: str) -> None:
    """Say something that is no result."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - a command line prints


def tell_profile(name: str, folder: Path, stretches: Sequence[tuple[str, str, float, float]]) -> None:
    """Show where the worker was in each stretch: (what it did, the start it belongs to, from, until)."""
    for what, start, since, until in stretches:
        tell(f"\n{name}: where the worker is while it {what}")
        tell("\n".join(sampler.top(sampler.load(folder / f"{start}.samples"), since, until, 25)))


def folder_of(wish: Wish) -> Path:
    """Where the filled topics of a wish lie: new ones where what fills them has changed."""
    import sendwatch.simulate

    sources = [HERE / name for name in ("texts.py", "town.py", "traffic.py", "loading.py")]
    sources += sorted(Path(sendwatch.simulate.__file__).parent.glob("*.py"))
    told = blake2b(msgspec.json.encode(wish), digest_size=6)
    for source in sources:
        told.update(source.read_bytes())
    return CACHE / told.hexdigest()


def make_room(folder: Path) -> None:
    """Remove the oldest filled topics, and this wish's where filling it was cut short."""
    if folder.exists() and not (folder / TRUTH).exists():
        shutil.rmtree(folder)
    others = sorted((each for each in CACHE.glob("*") if each != folder), key=lambda each: each.stat().st_mtime)
    for old in others[: max(0, len(others) + 1 - KEPT_WISHES)]:
        shutil.rmtree(old)
    folder.mkdir(parents=True, exist_ok=True)
    os.utime(folder)


async def run(asked: Asked) -> int:
    """Measure what was asked for and print it."""
    if asked.mode == "model":
        return further.show_model()
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cores[0]})  # for the broker, and for us who watch
    if len(cores) == 1:
        tell("one core only: broker and worker share it, and wall times mean nothing")
    before, began = report.machine(), time.monotonic()
    folder = folder_of(asked.wish)
    make_room(folder)
    with tempfile.TemporaryDirectory(prefix="sendwatch-bench-") as scratch:
        async with KeptKafka(folder / "kafka") as kafka:
            bench = Bench(asked, kafka.bootstrap, cores[-1], Path(scratch))
            truth = await bench.fill(folder)
            await bench.clear()
            yardstick = await bench.measure_yardstick()
            if asked.mode != "judging":
                site = bench.site(truth, yardstick, kafka, cores)
                told = await further.measure(asked.mode, site, asked.workers)
                await bench.clear()
                return further.show(told, as_json=asked.json, keep=asked.keep)
            runs: dict[str, list[Figures]] = {name: [] for name in asked.sets}
            for turn in range(asked.repeat):
                for name, done in runs.items():
                    number = 1 + turn * len(runs) + list(runs).index(name)
                    done.append(await bench.measure(name, number, truth, yardstick))
                    tell(f"{name}: {done[-1].per_cpu_second:,.0f} sends per CPU-second")
            await bench.clear()
    found = {name: report.middle(done) for name, done in runs.items()}
    head = {
        "wish": structs.asdict(asked.wish), "records": truth.counts, "text_shapes": truth.shapes, "machine": before,
        "load_after": report.machine()["load"], "seconds": round(time.monotonic() - began, 1),
        "yardstick": {"per_cpu_second": round(yardstick)},
    }  # fmt: skip
    show(asked, head, found)
    if asked.keep:
        further.store_judging(found, asked.wish, before)
    return 1 if any(each["void"] for each in found.values()) else 0


def show(asked: Asked, head: dict[str, Any], found: dict[str, dict[str, Any]]) -> None:
    """Print the results, or that they are void and why."""
    if asked.json:
        print(msgspec.json.encode(head | found).decode())  # noqa: T201 - a command line prints
    else:
        wish, machine, records = asked.wish, head["machine"], head["records"]
        shapes = head["text_shapes"]
        lines = [
            "",
            f"{wish.sends:,} sends ({wish.spread}), {shapes:,} shapes of text, {wish.partitions} partitions",
            f"{wish.recipients:,} recipients, {records['consents']:,} consents, {records['signatures']:,} filings",
            f"{machine['cpu']}, {machine['cores']} cores, load {machine['load']} before and {head['load_after']} after",
            f"yardstick (read and decode, nothing else): {head['yardstick']['per_cpu_second']:,} per CPU-second",
            "",
            *report.as_lines(found),
        ]
        print("\n".join(lines))  # noqa: T201 - a command line prints
    for name, each in found.items():
        for fault in each["void"]:
            tell(f"VOID {name}: {fault}")


if __name__ == "__main__":
    sys.exit(asyncio.run(run(arguments(sys.argv[1:]))))
