"""How long `make run` takes to its ready line: the first time in an empty home, and again; and what SIGTERM leaves behind.

Packages come from the cache at IOTPANEL_PACKAGES where that is set, else from the distribution's mirror. `--clone` also clones the
checkout and runs `make run` there, so that making `.venv` is in the first figure, as for somebody who has just arrived.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from iotpanel.local.app import TOP
from iotpanel.local.ports import free_port
from iotpanel.local.testing import NOT_INHERITED
from tests.homes import PORTS
from tests.local.processes import mentions

READY = "iotpanel is ready:"
PATIENCE = 900.0
PROMISED = {"first_start_s": 180, "second_start_s": 10}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--clone", action="store_true", help="from a fresh clone, with an environment of its own")


def run(options: argparse.Namespace) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="iotpanel-bench-") as folder:
        home = Path(folder) / "home"
        checkout = clone(Path(folder) / "checkout") if options.clone else TOP
        command = ["make", "run"] if options.clone else [sys.executable, "-m", "iotpanel.local", "run"]
        first, second = (start_and_stop(command, checkout, home) for _ in range(2))
    cache = os.environ.get("IOTPANEL_PACKAGES")
    return {
        "packages": "from the cache at IOTPANEL_PACKAGES" if cache else "fetched from the mirror",
        "environment": "made (.venv)" if options.clone else "was there",
        "first_start_s": first["start_s"],
        "second_start_s": second["start_s"],
        "stop_s": second["stop_s"],
        "processes": first["processes"],
        "left_after_sigterm": first["left"] + second["left"],
        "as_promised": first["start_s"] <= PROMISED["first_start_s"] and second["start_s"] <= PROMISED["second_start_s"],
    }


def clone(place: Path) -> Path:
    subprocess.run(["git", "clone", "-q", str(TOP), str(place)], check=True)
    return place


def start_and_stop(command: list[str], checkout: Path, home: Path) -> dict[str, Any]:
    """Seconds to the ready line and from SIGTERM to the end; processes that ran, and those that are left."""
    began = time.perf_counter()
    with subprocess.Popen(
        command, cwd=checkout, stdout=subprocess.PIPE, text=True, env=environment(home), start_new_session=True
    ) as process:
        try:
            await_ready(process)
            start = time.perf_counter() - began
            ran = len(mentions(str(home)))
            began = time.perf_counter()
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
    stop = time.perf_counter() - began
    return {"start_s": round(start, 1), "stop_s": round(stop, 1), "processes": ran, "left": len(mentions(str(home)))}


def await_ready(process: "subprocess.Popen[str]") -> None:
    """Read what it says until it is ready. Raises RuntimeError with its last words where it ends before."""
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if line.startswith(READY):
            return
    raise RuntimeError("it ended before it was ready: " + "".join(said[-5:]))


def environment(home: Path) -> dict[str, str]:
    """What a person's shell has, with ports that are free; nothing of a stack that runs beside it."""
    kept = {name: value for name, value in os.environ.items() if name not in {*NOT_INHERITED, "IOTPANEL_SERVERS", "DEMO"}}
    return kept | {"IOTPANEL_HOME": str(home), **{name: str(free_port()) for name in PORTS}}
