"""What a stack that runs for months needs: bounded logs, a warning before the disk is full, no leftovers."""

import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from iotpanel.local.home import Home
from iotpanel.local.say import complain, say

LOG_BYTES = 10_000_000
FREE_BYTES = 1_000_000_000
FREE_SHARE = 0.05
WARN_EVERY = 3600.0
LEFTOVER_SECONDS = 30.0

warned_at = -WARN_EVERY


def keep_house(home: Home) -> None:
    """Called about once a minute."""
    for log in home.logs.glob("*.log"):
        rotate(log)
    warn_of_full_disk(home)


def rotate(log: Path, most: int = LOG_BYTES) -> None:
    """Keep one older log. The file is emptied, not moved: the part goes on writing to the end of the one it has open."""
    if log.stat().st_size > most:
        shutil.copyfile(log, log.with_suffix(".log.1"))
        os.truncate(log, 0)


def nearly_full(free: int, total: int) -> bool:
    """Less than one gigabyte or a twentieth is free, whichever is less."""
    return free < min(FREE_BYTES, total * FREE_SHARE)


def warn_of_full_disk(home: Home) -> None:
    """Say it once an hour, while there is still room to do something about it."""
    global warned_at
    disk = shutil.disk_usage(home.root)
    if nearly_full(disk.free, disk.total) and time.monotonic() - warned_at > WARN_EVERY:
        warned_at = time.monotonic()
        complain(
            f"the disk of {home.root} is nearly full: {disk.free // 1_000_000} MB are left; free some, or lower IOTPANEL_RETENTION_DAYS"
        )


def leftovers(home: Home) -> Iterator[int]:
    """Process ids of parts of this very home that a killed supervisor left behind."""
    for file in home.run.glob("*.pid"):
        text = file.read_text().strip()
        if file.stem != "supervisor" and text.isdigit() and belongs(int(text), home):
            yield int(text)


def belongs(process: int, home: Home) -> bool:
    """True where the process is alive and was started for this home; its number may be somebody else's by now."""
    try:
        words = [Path(f"/proc/{process}/{name}").read_bytes() for name in ("cmdline", "environ")]
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z" and any(os.fsencode(home.root) in text for text in words)


def clear_leftovers(home: Home) -> None:
    """Wait for leftovers to end, as the kernel has told them to; kill those that do not."""
    until = time.monotonic() + LEFTOVER_SECONDS
    while left := list(leftovers(home)):
        if time.monotonic() > until:
            say(f"ending what an earlier run left behind: {left}")
            for process in left:
                os.kill(process, signal.SIGKILL)
        time.sleep(0.1)
    for file in home.run.glob("*.pid"):
        if file.stem != "supervisor":
            file.unlink()
