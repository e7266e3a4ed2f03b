"""One supervisor per home: a lock that the kernel drops when its holder dies."""

import fcntl
import os
from typing import IO

from iotpanel.local.home import Home
from iotpanel.local.say import Trouble


def hold(home: Home) -> IO[str]:
    """Take the lock for as long as the returned file stays open; raises Trouble where another holds it."""
    file = (home.run / "supervisor.pid").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.seek(0)
        raise Trouble(f"iotpanel is already running in {home.root} (process {file.read().strip()})") from error
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
    return file


def is_held(home: Home) -> bool:
    """True where a supervisor runs in this home."""
    try:
        hold(home).close()
    except Trouble:
        return True
    return False
