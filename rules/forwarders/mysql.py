"""MySQL and MariaDB: inserts rows into a table, a batch in one transaction."""

from collections.abc import Sequence
from typing import Any

import pymysql

from rules.outside.errors import Down, Rejected
from rules.outside.sockets import connect, tls_context

from .base import Message, flag, host, port, schema, secret, text
from .rows import NAME, RowsForwarder, insert, rows_of, runs

UNKNOWN_COLUMN = 1054
OF_THE_MESSAGE = (pymysql.err.DataError, pymysql.err.IntegrityError)
DATA = {UNKNOWN_COLUMN, 1048, 1062, 1136, 1264, 1265, 1292, 1366, 1364, 1406, 3140, 4025}
"""Error numbers that are about a row's values; clients differ in the class that they give them."""


class MysqlForwarder(RowsForwarder):
    TITLE = "MySQL, MariaDB"
    SETTINGS = schema(
        {
            "host": host(),
            "port": port(3306),
            "database": text("Database", pattern=r"^[A-Za-z0-9_$-]{1,64}$"),
            "table": text("Table", pattern=NAME, default="readings"),
            "username": text("User name"),
            "password": secret("Password"),
            "ignore_duplicates": flag("Leave out rows that are there already"),
            "tls": flag("TLS"),
            "verify": flag("Check the server's certificate", True),
        },
        ["host", "database", "table", "username"],
    )

    def send(self, messages: Sequence[Message]) -> str:
        rows = rows_of(messages)
        connection = self.connection or self._connect()
        ignore = "IGNORE" if self.settings.get("ignore_duplicates") else ""
        try:
            with connection.cursor() as cursor:
                for run in runs(rows):
                    statement = insert(self.settings["table"], list(run[0]), _quote, ignore=ignore)
                    cursor.executemany(statement, [list(row.values()) for row in run])
            connection.commit()
        except (pymysql.err.Error, OSError) as error:
            if isinstance(error, OF_THE_MESSAGE) or (error.args and error.args[0] in DATA):
                connection.rollback()
                raise Rejected(_words(error)) from error
            raise Down(_words(error)) from error
        return f"INSERT {len(rows)}"

    def _connect(self) -> Any:
        """The socket is ours, to a judged address; the library is given the name, which TLS checks."""
        given = self.settings
        name, number = given["host"], given.get("port", 3306)
        self.connection = pymysql.connect(
            host=name,
            port=number,
            user=given["username"],
            password=given.get("password", ""),
            database=given["database"],
            charset="utf8mb4",
            read_timeout=10,
            write_timeout=10,
            local_infile=False,
            ssl=tls_context(verify=given.get("verify", True)) if given.get("tls") else None,
            ssl_disabled=not given.get("tls"),
            defer_connect=True,
        )
        try:
            self.connection.connect(connect(name, number))
        except (pymysql.err.Error, OSError) as error:
            raise Down(_words(error)) from error
        return self.connection

    def close(self) -> None:
        if self.connection is not None and self.connection.open:
            self.connection.close()
        self.connection = None


def _quote(name: str) -> str:
    return f"`{name}`"


def _words(error: BaseException) -> str:
    return " ".join(str(each) for each in error.args) or type(error).__name__
