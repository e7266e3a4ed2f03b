"""``make upgrade``, after the new version is there: newer servers, and a restart of what runs."""

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from iotpanel.local import lock, tree
from iotpanel.local.config import from_environment
from iotpanel.local.release import server_packages
from iotpanel.local.say import Trouble, say


def upgrade(_: Sequence[str]) -> int:
    """Fetch the servers' present packages; the next start unpacks them, and migrates the tables."""
    config = from_environment()
    if not (config.database_url and config.redis_url and config.mqtt_url):
        tree.fetch(config.packages, "servers", server_packages())
    if lock.is_held(config.home):
        os.kill(int((config.home.run / "supervisor.pid").read_text()), signal.SIGUSR2)
        say("the running iotpanel starts again with the new version")
    else:
        say("ready: make run starts the new version")
    return 0


def shell(_: Sequence[str]) -> int:
    """A shell with the addresses of this stack, its programs and our Python in its environment."""
    file = from_environment().home.env_file
    if not file.exists():
        raise Trouble("there is no stack to talk to yet: make run makes it")
    program = os.environ.get("SHELL", "/bin/sh")
    script = f'. "{file}" && PATH="{Path(sys.executable).parent}:$PATH" exec "{program}"'
    os.execv("/bin/sh", ["sh", "-c", script])  # noqa: S606 - the person asked for a shell
