"""django-timescaledb's backend, made to keep primary keys, to run on plain PostgreSQL, and to send packed arrays."""

from typing import Any

from django.db.backends.postgresql.base import DatabaseWrapper as PostgresWrapper
from timescale.db.backends.postgresql.base import DatabaseWrapper as TimescaleWrapper

from . import features
from .packed import register
from .schema import SchemaEditor

NEVER_BY_ITSELF = 2**31


class DatabaseWrapper(TimescaleWrapper):
    SchemaEditorClass = SchemaEditor

    def prepare_database(self) -> None:
        """Switch TimescaleDB on where it is wanted and can be loaded."""
        PostgresWrapper.prepare_database(self)
        if features.loadable(self):
            with self.cursor() as cursor:
                cursor.execute("CREATE EXTENSION IF NOT EXISTS timescaledb")

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connection = super().get_new_connection(conn_params)
        register(connection)
        # Django switches prepared statements off altogether; this way they are for those who ask (`iotpanel.databases.prepared`).
        connection.prepare_threshold = NEVER_BY_ITSELF
        return connection
