"""PostgreSQL: inserts rows into a table, a batch in one transaction."""

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import errors

from rules.outside.addresses import pinned
from rules.outside.errors import Down, Rejected

from .base import Message, flag, host, port, schema, secret, text
from .rows import NAME, RowsForwarder, insert, rows_of, runs

OF_THE_MESSAGE = (errors.DataError, errors.IntegrityError, errors.UndefinedColumn, errors.DatatypeMismatch)


class PostgresqlForwarder(RowsForwarder):
    TITLE = "PostgreSQL"
    SETTINGS = schema(
        {
            "host": host(),
            "port": port(5432),
            "database": text("Database", minLength=1, maxLength=63),
            "table": text("Table", pattern=NAME, default="readings"),
            "username": text("User name"),
            "password": secret("Password"),
            "ignore_duplicates": flag("Leave out rows that are there already"),
            "sslmode": {"type": "string", "title": "TLS", "enum": ["disable", "prefer", "require", "verify-full"], "default": "prefer"},
        },
        ["host", "database", "table"],
    )

    def send(self, messages: Sequence[Message]) -> str:
        rows = rows_of(messages)
        connection = self.connection or self._connect()
        conflict = "ON CONFLICT DO NOTHING" if self.settings.get("ignore_duplicates") else ""
        try:
            with connection.transaction(), connection.cursor() as cursor:
                for run in runs(rows):
                    statement = insert(self.settings["table"], list(run[0]), _quote, conflict=conflict)
                    cursor.executemany(statement, [list(row.values()) for row in run])
        except OF_THE_MESSAGE as error:
            raise Rejected(str(error)) from error
        except psycopg.Error as error:
            raise Down(str(error)) from error
        return f"INSERT {len(rows)}"

    def _connect(self) -> Any:
        given = self.settings
        number = given.get("port", 5432)
        try:
            self.connection = psycopg.connect(
                host=given["host"],
                hostaddr=pinned(given["host"], number),
                port=number,
                dbname=given["database"],
                user=given.get("username") or "postgres",
                password=given.get("password", ""),
                sslmode=given.get("sslmode", "prefer"),
                connect_timeout=5,
                autocommit=True,
                application_name="iotpanel",
                options="-c statement_timeout=10000",
                passfile="/nonexistent",
            )
        except psycopg.Error as error:
            raise Down(str(error)) from error
        return self.connection

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None


def _quote(name: str) -> str:
    return f'"{name}"'
