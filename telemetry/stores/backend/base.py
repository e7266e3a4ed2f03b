"""django-timescaledb's backend, made to keep primary keys, to run on plain PostgreSQL, and to send packed arrays."""

import socket
from typing import Any

from django.db.backends.postgresql.base import DatabaseWrapper as PostgresWrapper
from django.db.utils import OperationalError
from timescale.db.backends.postgresql.base import DatabaseWrapper as TimescaleWrapper

from . import features
from .packed import register
from .schema import SchemaEditor

NEVER_BY_ITSELF = 2**31
PATIENCE = 3.0  # s


def reach(host: str, port: str | int) -> None:
    """Knock at the server's door. Raises OperationalError where nobody is there; an address that is no host is not tried."""
    if not host or host.startswith("/") or "," in host:
        return
    try:
        socket.create_connection((host, int(port or 5432)), PATIENCE).close()
    except OSError as error:
        raise OperationalError(f"the database server at {host}:{port or 5432} cannot be reached: {error}") from error


def failures(pool: Any) -> int:
    """How often the pool has lost a connection, or could not make one. While that stands still, it is only busy."""
    stats = pool.get_stats()
    return int(stats.get("connections_errors", 0) + stats.get("connections_lost", 0))


class DatabaseWrapper(TimescaleWrapper):
    SchemaEditorClass = SchemaEditor
    failures_before = 0  # of this process's pool, when it last gave a connection

    def prepare_database(self) -> None:
        """Switch TimescaleDB on where it is wanted and can be loaded."""
        PostgresWrapper.prepare_database(self)
        if features.loadable(self):
            with self.cursor() as cursor:
                cursor.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Raises OperationalError: at once where nothing listens any more, instead of after the pool's patience."""
        if self.pool and failures(self.pool) != self.failures_before:
            reach(self.settings_dict["HOST"], self.settings_dict["PORT"])
        connection = super().get_new_connection(conn_params)
        if self.pool:
            DatabaseWrapper.failures_before = failures(self.pool)
        register(connection)
        # Django switches prepared statements off altogether; this way they are for those who ask (`iotpanel.statements.prepared`).
        connection.prepare_threshold = NEVER_BY_ITSELF
        return connection
