"""What else can be asked of the benchmark than the ordinary figures: latency, pressure, scale-out, the model.

Belongs here: choosing, printing, keeping. Not here: measuring.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import msgspec

from bench import capacity, corrections, latency, pressure, rebuild, results, scale_out
from bench.report import machine

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bench.site import Site

SHOW: Mapping[str, Callable[[dict[str, Any]], list[str]]] = {
    "latency": latency.as_lines,
    "pressure": pressure.as_lines,
    "scale_out": scale_out.as_lines,
    "corrections": corrections.as_lines,
    "rebuild": rebuild.as_lines,
}


STAMP = ("mode", "wish", "machine", "load_after", "yardstick_per_cpu_second", "seconds")


async def measure(mode: str, site: Site, workers: int) -> dict[str, Any]:
    """One measurement, with what it was made on."""
    before, began = machine(), time.monotonic()
    match mode:
        case "latency":
            found = await latency.measure(site)
        case "pressure":
            found = await pressure.measure(site)
        case "corrections":
            found = await corrections.measure(site)
        case "rebuild":
            found = await rebuild.measure(site)
        case _:
            found = await scale_out.measure(site, workers)
    told = {"mode": mode, "wish": site.wish, "machine": before, "load_after": machine()["load"]}
    told |= {"yardstick_per_cpu_second": round(site.yardstick), "seconds": round(time.monotonic() - began, 1)}
    return told | found


def show(found: dict[str, Any], *, as_json: bool, keep: bool) -> int:
    """Print it, keep it where that is wanted and it is not void; the exit status."""
    if as_json:
        print(msgspec.json.encode(found).decode())  # noqa: T201 - a command line prints
    else:
        wish, made_on = found["wish"], found["machine"]
        print(  # noqa: T201 - a command line prints
            f"\n{wish.sends:,} sends ({wish.spread}), {wish.recipients:,} recipients, {wish.partitions} partitions; "
            f"{made_on['cpu']}, {made_on['cores']} cores, load {made_on['load']} before, {found['load_after']} after\n"
        )
        print("\n".join(SHOW[found["mode"]](found)))  # noqa: T201 - as above
        for fault in found["void"]:
            print(f"VOID: {fault}")  # noqa: T201 - as above
    if keep and not found["void"]:
        store(found)
    return 1 if found["void"] or found.get("unmet") else 0


def store(found: dict[str, Any]) -> None:
    """Append to the table of results."""
    head = common(found["wish"], found["machine"])
    match found["mode"]:
        case "latency":
            for step in found["steps"]:
                results.append("Latency", head | {"best/s": found["best_per_second"]} | step)
        case "pressure":
            results.append("Pressure", head | found["outcome"])
        case "corrections" | "rebuild":
            columns = {name: value for name, value in found.items() if name not in {*STAMP, "void"}}
            results.append(found["mode"].capitalize(), head | flat(columns))
        case _:
            for crew in found["crews"]:
                figures = {name: value for name, value in crew.items() if name != "void"}
                results.append("Scale-out", head | {name: tidy(value) for name, value in figures.items()})
            constants = msgspec.convert(found["constants"], scale_out.Constants)
            results.keep_constants(constants, f"{found['machine']['cpu']}, {found['machine']['cores']} cores")


def store_judging(found: Mapping[str, dict[str, Any]], wish: Any, made_on: Mapping[str, Any]) -> None:
    """Append the ordinary run's figures, a row for each set of rules that is not void."""
    columns = {
        "per_cpu_second": "sends/CPU-s", "yardstick_ratio": "of yardstick", "per_second": "sends/s",
        "peak_mb": "peak MB", "cold_ready_seconds": "cold s", "warm_ready_seconds": "warm s",
        "flags": "flags", "others_on_core": "others on core",
    }  # fmt: skip
    for name, figures in found.items():
        if not figures["void"]:
            row = {"rules": name} | {title: tidy(figures[field]) for field, title in columns.items()}
            results.append("Judging", common(wish, made_on) | row)


def common(wish: Any, made_on: Mapping[str, Any]) -> dict[str, Any]:
    """The first columns of every row."""
    return {
        **results.origin(), "machine": f"{made_on['cpu']} ×{made_on['cores']}", "load before": made_on["load"][0],
        "sends": f"{wish.sends:,}", "recipients": f"{wish.recipients:,}", "of": f"{wish.spread} ×{wish.partitions}",
    }  # fmt: skip


def flat(found: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Figures within figures as columns of one row."""
    row: dict[str, Any] = {}
    for name, value in found.items():
        row |= flat(value, f"{before}{name} ") if isinstance(value, dict) else {before + name: tidy(value)}
    return row


def tidy(value: Any) -> Any:
    """A number with no more digits than anybody reads."""
    return f"{value:,.0f}" if isinstance(value, int | float) and value >= 100 else value


def show_model() -> int:
    """Print what places need by the constants kept."""
    if not results.CONSTANTS.exists():
        print("no constants are kept yet: make bench ARGS='--workers 2 --keep'")  # noqa: T201 - a command line prints
        return 1
    words, known = results.kept_constants()
    print(f"Constants {words}.\n")  # noqa: T201 - a command line prints
    print("\n".join(capacity.as_lines(known)))  # noqa: T201 - as above
    return 0
