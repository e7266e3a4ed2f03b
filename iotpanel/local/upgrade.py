"""``make upgrade``, after the new version is there: newer servers, and a restart of what runs."""

import os
import signal
from collections.abc import Sequence

from iotpanel.local import lock, tree
from iotpanel.local.config import from_environment
from iotpanel.local.release import server_packages
from iotpanel.local.say import say


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
    """A shell with the addresses of this stack in its environment."""
    config = from_environment()
    program = os.environ.get("SHELL", "/bin/sh")
    os.execv("/bin/sh", ["sh", "-c", f'. "{config.home.env_file}" && exec "{program}"'])  # noqa: S606 - the person asked for a shell
