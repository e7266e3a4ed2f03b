"""Runs a fleet that is registered already: `python -m devices.simulator FLEET_FILE`. Needs no Django."""

import argparse
import signal
import sys
import threading
from pathlib import Path

from .runner import Runner


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m devices.simulator", description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=1883)
    parser.add_argument("--interval", type=float, default=5.0)
    parser.add_argument("--once", action="store_true", help="one round of messages, then stop")
    chosen = parser.parse_args()
    runner = Runner(chosen.file, chosen.host, chosen.port, chosen.interval)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: runner.stopped.set())
    runner.start()
    try:
        if chosen.once:
            late = runner.once()
            print(f"not sent in time: {', '.join(late)}" if late else "sent", flush=True)
            return 1 if late else 0
        threading.Thread(target=runner.send_history, daemon=True).start()  # the present does not wait for the past
        runner.run()
        return 0
    finally:
        runner.stop()


if __name__ == "__main__":
    sys.exit(main())
