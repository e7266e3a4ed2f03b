"""How statements reach the server: by its own parameters, prepared, several in one round trip, by keys."""

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from django.db import connection

Statement = tuple[str, Sequence[Any] | Mapping[str, Any]]
BY_KEYS: Statement = ("SELECT set_config('enable_seqscan', 'off', true), set_config('enable_sort', 'off', true)", ())
AS_USUAL: Statement = ("SELECT set_config('enable_seqscan', 'on', true), set_config('enable_sort', 'on', true)", ())


def execute(query: str, parameters: Sequence[Any] | Mapping[str, Any] = (), *, prepare: bool = False) -> list[tuple[Any, ...]]:
    """Run one statement by the server's parameters, in the caller's transaction; its rows, or none. Raises Django's database errors."""
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(query, parameters, prepare=prepare)
        return cursor.fetchall() if cursor.description else []


def prepared(query: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> list[tuple[Any, ...]]:
    """The same for a statement that is said again and again: the server reads and plans it once for each session.

    Not where the best plan depends on the values.
    """
    return execute(query, parameters, prepare=True)


def together(*statements: Statement) -> list[list[tuple[Any, ...]]]:
    """Prepared statements in one round trip, in the caller's transaction; the rows of each.

    Where one fails the rest are not run, and its error is raised. Never the COMMIT: leaving a pipeline is a round trip of its own, and a
    server that dies in it would make a committed transaction look like a failed one.
    """
    connection.ensure_connection()
    with connection.wrap_database_errors:
        cursors = [psycopg.Cursor(connection.connection) for _ in statements]
        with connection.connection.pipeline():
            for cursor, (query, parameters) in zip(cursors, statements, strict=True):
                cursor.execute(query, parameters, prepare=True)
        return [cursor.fetchall() if cursor.description else [] for cursor in cursors]


def by_keys(query: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> list[tuple[Any, ...]]:
    """`prepared`, in a transaction, for a statement that finds its rows by their keys.

    A plan that is made while a table is so small that reading all of it is quickest is kept while it grows, until the next analysis: a
    thousand commands/s stood still for seconds. Planned without sequential scans it goes by the keys, whenever that is.
    """
    return together(BY_KEYS, (query, parameters), AS_USUAL)[1]
