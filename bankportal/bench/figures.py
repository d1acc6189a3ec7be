"""What all benchmarks share: interleaved rounds, medians and spread, targets, the machine, and the report."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.db import connection
from tqdm import tqdm

SERVER_SETTINGS = (
    "server_version",
    "fsync",
    "synchronous_commit",
    "full_page_writes",
    "shared_buffers",
    "max_wal_size",
    "wal_compression",
    "commit_delay",
    "max_connections",
    "jit",
)
# Name -> figure of each round, per second.
Rounds = dict[str, list[float]]


@dataclass(frozen=True, slots=True)
class Target:
    """`over / under` must reach `least`; `missed` says so with {found} and {wanted}. A least of 0 is only shown."""

    over: str
    under: str
    least: float
    missed: str = ""


def in_turns(legs: Mapping[str, Callable[[], float]], *, labels: Mapping[str, str], rounds: int, title: str) -> Rounds:
    """Every leg once a round, so that what disturbs the machine disturbs all of them."""
    figures: Rounds = {name: [] for name in legs}
    with tqdm(total=rounds * len(legs), unit="leg", desc=title) as progress:
        for _ in range(rounds):
            for name, leg in legs.items():
                progress.set_postfix_str(labels[name])
                checkpoint()
                figures[name].append(leg())
                progress.update()
    return figures


def checkpoint() -> None:
    """A checkpoint that one leg caused would be paid by the next."""
    with connection.cursor() as cursor:
        cursor.execute("CHECKPOINT")


def spread(figures: Rounds, labels: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Median, lowest and highest of each leg."""
    return {
        name: {
            "label": labels[name],
            "per_second": round(statistics.median(values)),
            "lowest": round(min(values)),
            "highest": round(max(values)),
            "rounds": [round(value) for value in values],
        }
        for name, values in figures.items()
    }


def judge(figures: Rounds, targets: Sequence[Target]) -> tuple[dict[str, float], list[str]]:
    """The ratios, and a sentence for each that is too low. What was not measured although it has a target is too low."""
    ratios: dict[str, float] = {}
    missed = []
    for target in targets:
        if target.over not in figures or target.under not in figures:
            continue
        # Round by round: both halves of a ratio met the same machine.
        pairs = zip(figures[target.over], figures[target.under], strict=True)
        found = ratios[f"{target.over}/{target.under}"] = round(statistics.median(a / b for a, b in pairs), 2)
        if found < target.least:
            missed.append(target.missed.format(found=found, wanted=target.least))
    return ratios, missed


def surroundings() -> dict[str, Any]:
    """When, on what machine, and with which settings of the database server."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, current_setting(name) FROM pg_settings WHERE name = ANY (%s)", [list(SERVER_SETTINGS)]
        )
        server = dict(cursor.fetchall())
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "cpus": os.cpu_count(),
            "processor": _processor(),
            "memory_mb": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20,
            "kernel": platform.release(),
            "python": platform.python_version(),
            # More busy programs than processors: then no figure decides a target.
            "load_before": [round(value, 2) for value in os.getloadavg()],
        },
        "server": server,
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def save(report: Mapping[str, Any], file: str | None) -> None:
    """Write the report as JSON, when a file was named."""
    if file:
        Path(file).write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


def lines(report: Mapping[str, Any]) -> list[str]:
    """The machine, the medians with their spread, and the ratios, for the terminal."""
    machine = report["machine"]
    return [
        "",
        f"Machine: {machine['cpus']} x {machine['processor']}, {machine['memory_mb']:,} MB, load {machine['load_before']}",
        "Server: " + ", ".join(f"{name}={value}" for name, value in report["server"].items()),
        f"{report['options']['rounds']} rounds interleaved; median (lowest to highest) per second",
        *(
            f"  {found['label']:<38}{found['per_second']:>8,}   ({found['lowest']:,} to {found['highest']:,})"
            for found in report["results"].values()
        ),
        *(f"  {name:<38}{value:>8.2f} x" for name, value in report["ratios"].items()),
    ]
