"""Measuring and telling: percentiles, spread between rounds, the table, the machine."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

errors = Console(stderr=True)
out = Console(width=max(Console().width, 130))


@dataclass(frozen=True, slots=True)
class Times:
    """Durations in seconds, in rounds; a figure is the median of all, its spread that of the medians."""

    rounds: tuple[tuple[float, ...], ...]

    def at(self, share: float) -> float:
        ordered = sorted(one for some in self.rounds for one in some)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))]

    @property
    def median(self) -> float:
        return self.at(0.5)

    @property
    def spread(self) -> tuple[float, float]:
        medians = [statistics.median(some) for some in self.rounds]
        return min(medians), max(medians)

    def told(self) -> dict[str, float]:
        """Return milliseconds."""
        low, high = self.spread
        return {
            name: round(value * 1000, 3)
            for name, value in (
                ("p50_ms", self.median),
                ("p95_ms", self.at(0.95)),
                ("p99_ms", self.at(0.99)),
                ("lowest_round_ms", low),
                ("highest_round_ms", high),
            )
        }


def alternate(
    first: Callable[[], Sequence[float]], second: Callable[[], Sequence[float]], rounds: int
) -> tuple[Times, Times]:
    """Take turns, so that what else the machine does falls on both; the first turn of each is to warm up."""
    first(), second()
    ours, theirs = [], []
    for _ in range(rounds):
        ours.append(tuple(first()))
        theirs.append(tuple(second()))
    return Times(tuple(ours)), Times(tuple(theirs))


def clock(act: Callable[[], object]) -> float:
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


def busy(act: Callable[[], object]) -> float:
    """Return the processor time that this thread takes: other work on the machine does not count."""
    begun = time.thread_time()
    act()
    return time.thread_time() - begun


Acts = Sequence[Callable[[], object]]


@dataclass(frozen=True, slots=True)
class Compared:
    """What the product takes and what its floor takes, in processor time, and the product by the clock.

    Of a server's database the processor time is that of another process: then all are by the clock.
    """

    figure: Times
    floor: Times
    clock: Times

    def row(self, what: str, budget: float, detail: str, *, share: float = 0.95) -> dict[str, Any]:
        """Return a row of the table; `budget` in seconds holds for that share of all turns."""
        clock = self.clock.told()
        return {
            "what": what,
            "figure": self.figure.told(),
            "floor": self.floor.told(),
            "ratio": round(self.figure.median / max(self.floor.median, 1e-6), 2),
            "budget": f"p{share * 100:g} < {budget * 1000:,.0f} ms",
            "held": self.figure.at(share) < budget,
            "clock": clock,
            "detail": f"{detail}; processor time, by the clock p50 {clock['p50_ms']:.2f},"
            f" p95 {clock['p95_ms']:.2f} ms",
        }


def compared(ours: Acts, floor: Acts, rounds: int, *, in_process: bool = True) -> Compared:
    """Let the product and its floor take turns, after one turn of each to warm up.

    `in_process`: the database works in this process, so that its processor time is counted.
    """
    clocked: list[tuple[float, ...]] = []

    def turn() -> list[float]:
        found, here = [], []
        for act in ours:
            begun = time.perf_counter()
            found.append(busy(act))
            here.append(time.perf_counter() - begun)
        clocked.append(tuple(here))
        return here if not in_process else found

    figure, bare = alternate(turn, lambda: [(busy if in_process else clock)(act) for act in floor], rounds)
    return Compared(figure, bare, Times(tuple(clocked[1:])))


def machine(database: str) -> dict[str, str]:
    """Return what the figures were measured on."""
    names = Path("/proc/cpuinfo")
    lines = names.read_text(encoding="utf-8").splitlines() if names.is_file() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    processor = models[0] if models else platform.processor() or platform.machine()
    return {
        "processor": f"{os.cpu_count()} x {processor}",
        "load": " ".join(f"{one:.1f}" for one in os.getloadavg()) if hasattr(os, "getloadavg") else "",
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "database": database,
    }


def show(result: Mapping[str, Any]) -> None:
    """Print a result as a table for people."""
    out.print(f"[bold]{result['name']}[/]: {result['about']}; times in ms")
    table = Table(box=box.SIMPLE)
    for name in ("what", "p50", "p95", "p99", "rounds", "floor p50", "ratio", "budget", "held"):
        table.add_column(name, justify="left" if name in {"what", "budget"} else "right", no_wrap=True)
    for row in result["rows"]:
        figure, floor = row["figure"], row["floor"]
        table.add_row(
            row["what"],
            *(f"{figure[name]:.2f}" for name in ("p50_ms", "p95_ms", "p99_ms")),
            f"{figure['lowest_round_ms']:.2f}-{figure['highest_round_ms']:.2f}",
            f"{floor['p50_ms']:.2f}",
            f"{row['ratio']:.1f}",
            row["budget"],
            "yes" if row["held"] else "[bold red]no[/]",
        )
    out.print(table)
    for row in result["rows"]:
        out.print(f"  {row['what']}: {row['detail']}", highlight=False, soft_wrap=True)
    for name in ("machine", "data"):
        out.print(f"  {name}: {_flat(result[name])}", highlight=False, soft_wrap=True)


def _flat(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{name} {_flat(one)}" for name, one in value.items())
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def say(words: str) -> None:
    errors.print(words, style="dim", highlight=False)
