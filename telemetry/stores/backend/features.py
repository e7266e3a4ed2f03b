"""What this database can do: asked of the server, never guessed from its version."""

from typing import Any

from django.conf import settings

# The loader defines this setting when it is preloaded; without it CREATE EXTENSION ends the connection.
LOADABLE = """
    SELECT current_setting('timescaledb.disable_load', true) IS NOT NULL
       AND EXISTS (SELECT FROM pg_available_extensions WHERE name = 'timescaledb')
"""
ACTIVE = "SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'timescaledb')"
LICENSE = "SELECT current_setting('timescaledb.license', true)"


def _ask(connection: Any, question: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(question)
        return cursor.fetchone()[0]


def loadable(connection: Any) -> bool:
    """Whether TimescaleDB can be switched on here: wanted by the settings, installed and preloaded."""
    return bool(settings.TIMESCALE and _ask(connection, LOADABLE))


def active(connection: Any) -> bool:
    """Whether TimescaleDB is switched on in this database."""
    return bool(_ask(connection, ACTIVE))


def community(connection: Any) -> bool:
    """Whether it is the Community edition, which can compress; the Apache edition can't."""
    return active(connection) and _ask(connection, LICENSE) == "timescale"
