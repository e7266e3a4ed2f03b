"""Frames through the Lua sandbox: against the bare call in this process, and against JSON, in the codec and on the whole path.

The same five values come as a frame of ten bytes and as JSON. The whole path is the pipeline itself: from bytes to
committed rows, in batches as the worker makes them, on a database of its own. What is timed alternates.
"""

import argparse
import json
import os
import subprocess
import sys
from typing import Any

from bench import platform


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--frames", type=int, default=20_000, help="of one pass")
    parser.add_argument("--batch", type=int, default=500)
    parser.add_argument("--passes", type=int, default=5)


def run(options: argparse.Namespace) -> dict[str, Any]:
    job = {"frames": options.frames, "batch": options.batch, "passes": options.passes}
    with platform.running() as services:
        services.stop("uplink")  # nothing else is to write
        answer = subprocess.run(
            [sys.executable, "-m", "bench.codec_work"],
            input=json.dumps(job),
            env={**os.environ, **services.environment},
            capture_output=True,
            text=True,
        )
    if answer.returncode:
        raise SystemExit(answer.stderr[-4000:])
    found: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    return found
