"""Memory of the whole idle stack, by part: every process that `make run DEMO=0` starts, some seconds after it is ready.

Proportional set size: memory that processes share (the database's buffers above all) is counted once, which summing
up resident sizes would not do. `resident_mb` is that larger sum, for comparison.
"""

import argparse
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench import platform
from tests.services import Services, eventually

PARTS = ("postgres", "valkey", "mosquitto", "uplink", "tasks", "beat", "web")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--settle", type=float, default=20, help="seconds between being ready and measuring")


def run(options: argparse.Namespace) -> dict[str, Any]:
    with platform.running() as services:
        eventually(lambda: services.client().get("/readyz").status_code == 200, 60)
        time.sleep(options.settle)
        return figures(services)


def figures(services: Services) -> dict[str, Any]:
    """Megabytes (10^6 bytes) of each part with all its processes, and of all parts together."""
    below = children()
    parts = {part: [*family(services.pid(part), below)] for part in PARTS}
    proportional = {f"{part}_mb": round(sum(map(pss_mb, pids)), 1) for part, pids in parts.items()}
    resident = sum(platform.rss_mb(pid) for pids in parts.values() for pid in pids)
    processes = sum(map(len, parts.values()))
    return {"total_mb": round(sum(proportional.values()), 1), **proportional, "resident_mb": round(resident, 1), "processes": processes}


def children() -> dict[int, list[int]]:
    """Who started whom."""
    found = defaultdict(list)
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:  # it has ended meanwhile
            continue
        found[parent].append(int(stat.parent.name))
    return found


def family(pid: int, below: dict[int, list[int]]) -> Iterator[int]:
    """A process and all its descendants."""
    yield pid
    for child in below.get(pid, []):
        yield from family(child, below)


def pss_mb(pid: int) -> float:
    """Proportional set size of a process."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("Pss:")).split()[1]) * 1024 / 1e6
