"""How the processes hold their connections to the database: a new one costs a process of the server and a handshake."""

from contextlib import suppress
from typing import Any

import psycopg
from django.db import connection, connections

# A request that finds all of them taken waits; who cannot be given one in time is told that the database is away.
POOL: dict[str, Any] = {"min_size": 1, "max_size": 24, "timeout": 3.0, "max_idle": 120.0, "max_lifetime": 1800.0, "reconnect_timeout": 3.0}
KEPT = 600  # seconds


def share() -> None:
    """Have this process's threads take turns with a few connections: the web server's live no longer than a request."""
    settings = connections.settings["default"]
    settings["OPTIONS"] = {**settings.get("OPTIONS", {}), "pool": POOL}


def keep() -> None:
    """Have each of this process's threads keep its connection from task to task."""
    connections.settings["default"]["CONN_MAX_AGE"] = KEPT


def are_shared() -> bool:
    """Whether this thread's connection may be another's in a moment, and was another's before."""
    return "pool" in connection.settings_dict.get("OPTIONS", {})


def hang_up() -> None:
    """End this thread's session at the server, which `connection.close()` may only lend to the next."""
    if connection.connection is not None:
        with suppress(psycopg.Error):
            connection.connection.close()
    connection.close()
