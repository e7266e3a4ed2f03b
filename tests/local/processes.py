"""Small real processes, and what one may ask about any process."""

import sys
from pathlib import Path

from iotpanel.local.part import Part

SLEEP = "import time; time.sleep(600)"
WITH_CHILD = "import subprocess, sys; child = subprocess.Popen(['sleep', '600']); print(child.pid, flush=True); child.wait()"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"


def make_part(name: str = "sleeper", code: str = SLEEP, **overrides: object) -> Part:
    """A part that is a Python process running ``code``."""
    return Part(name, (sys.executable, "-I", "-c", code), **overrides)  # type: ignore[arg-type]


def is_alive(pid: int) -> bool:
    """True for a process that runs; a zombie that nobody has waited for is dead."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def mentions(text: str) -> list[int]:
    """Ids of the processes whose command line or environment holds the text."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if any(text.encode() in (folder / name).read_bytes() for name in ("cmdline", "environ")) and is_alive(int(folder.name)):
                found.append(int(folder.name))
        except OSError:
            continue
    return found
