"""Django's own connection, spoken to through the server's parameters instead of texts pasted into the query.

The hot path sends packed arrays and reads few rows, so it needs neither the ORM nor client-side quoting; it shares
the connection, and with it the transaction, with everything else that runs in it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import DatabaseError, InterfaceError, connection, transaction

from devices.exceptions import Unavailable


def affected(query: str, parameters: Sequence[Any] = ()) -> int:
    """Run one statement; how many rows it wrote."""
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(query, parameters)
        return cursor.rowcount


def copy(query: str, data: bytes) -> None:
    """Send the data of a COPY in one go."""
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        with cursor.copy(query) as stream:
            stream.write(data)


def sqlstate(error: DatabaseError) -> str:
    """The server's five-letter code, or "" where the error came from elsewhere."""
    return getattr(error.__cause__, "sqlstate", None) or ""


def is_refusal(error: DatabaseError) -> bool:
    """Whether the database objects to the data (so that others may pass), not to being asked at all.

    Classes 22 (data), 23 (constraints) and 54 (limits). Everything else, a missing table or right included, is a
    matter of waiting for an operator: nothing may be thrown away for it.
    """
    return sqlstate(error)[:2] in {"22", "23", "54"}


@contextmanager
def unavailable_unless_refused(*, savepoint: bool = True) -> Iterator[None]:
    """A transaction or savepoint in which what isn't the data's fault becomes Unavailable."""
    try:
        with transaction.atomic(savepoint=savepoint):
            yield
    except DatabaseError as error:
        if is_refusal(error):
            raise
        raise Unavailable(str(error).strip()) from error
    except InterfaceError as error:
        raise Unavailable(str(error).strip()) from error
