"""One supervisor per home: a lock that the kernel drops when its holder dies."""

import fcntl
import os
import time
from typing import IO

from iotpanel.local.home import Home
from iotpanel.local.say import Trouble

TRIES = 5
PAUSE = 0.1
"""Who only asks whether the lock is held, holds it for a moment."""


def hold(home: Home) -> IO[str]:
    """Take the lock for as long as the returned file stays open; raises Trouble where another holds it."""
    file = (home.run / "supervisor.pid").open("a+")
    for _ in range(TRIES):
        if locked(file):
            break
        time.sleep(PAUSE)
    else:
        file.seek(0)
        raise Trouble(f"iotpanel is already running in {home.root} (process {file.read().strip()})")
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
    return file


def locked(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def is_held(home: Home) -> bool:
    """True where a supervisor runs in this home."""
    with (home.run / "supervisor.pid").open("a+") as file:
        return not locked(file)
