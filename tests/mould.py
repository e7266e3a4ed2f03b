"""One migrated database, made once for a state of the code and copied for every process of tests: to migrate takes nine seconds."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.conf import settings
from django.db.backends.base.creation import BaseDatabaseCreation
from psycopg import sql

from iotpanel.local.app import TOP
from iotpanel.local.prepare import digest

CODE = ("iotpanel", "devices", "telemetry", "rules")
PREFIX = "mould_"
ATTEMPTS = 4
LOCK = 0x6D6F756C64  # a number that nobody else locks
migrated = BaseDatabaseCreation.create_test_db


def state_of_the_code() -> str:
    """Changes with any file of the product, and with the packages: whatever may decide what a fresh database holds."""
    files = sorted(path for folder in CODE for path in (TOP / folder).rglob("*.py"))
    return digest([TOP / "requirements.txt", *files])[:16]


def create_test_db(
    creation: BaseDatabaseCreation, verbosity: int = 1, autoclobber: bool = False, serialize: bool = True, keepdb: bool = False
) -> str:
    """As Django's, which the first one still asks: its database is the mould of those that come later."""
    if keepdb:
        return migrated(creation, verbosity, autoclobber, serialize, keepdb)
    mould = PREFIX + ("timescale_" if settings.TIMESCALE else "plain_") + state_of_the_code()
    with alone(creation) as server:
        if exists(server, mould):
            name = creation._get_test_db_name()  # type: ignore[attr-defined]
            copy(server, mould, name)
            point_to(creation, name)
        else:
            forget_others(server, mould)
            name = migrated(creation, verbosity, autoclobber, serialize)
            creation.connection.close()  # which only lends it to the next where there is a pool
            creation.connection.close_pool()  # type: ignore[attr-defined]
            copy(server, name, mould)
        return name


@contextmanager
def alone(creation: BaseDatabaseCreation) -> Iterator[psycopg.Connection[Any]]:
    """A connection to the server beside the tests' own, while no other process makes a database."""
    parameters = creation.connection.get_connection_params() | {"dbname": "postgres"}
    for name in ("cursor_factory", "context", "prepare_threshold"):
        parameters.pop(name, None)
    with psycopg.connect(**parameters, autocommit=True) as server:
        server.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        yield server


def exists(server: psycopg.Connection[Any], name: str) -> bool:
    return server.execute("SELECT FROM pg_database WHERE datname = %s", [name]).fetchone() is not None


def copy(server: psycopg.Connection[Any], source: str, target: str) -> None:
    """Raises psycopg.errors.ObjectInUse where somebody does not let go of the source."""
    server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(target)))
    command = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(target), sql.Identifier(source))
    for attempt in range(ATTEMPTS):  # TimescaleDB looks into every database once a minute; the server itself waits five seconds
        try:
            server.execute(command)
            break
        except psycopg.errors.ObjectInUse:
            if attempt == ATTEMPTS - 1:
                raise
    if target.startswith(PREFIX):  # TimescaleDB's workers would look after it else, and nothing can be copied that is in use
        server.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(target)))


def forget_others(server: psycopg.Connection[Any], mould: str) -> None:
    """Drop the moulds of earlier states of the code."""
    kind = mould.rpartition("_")[0]
    for (name,) in server.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [f"{kind}%"]).fetchall():
        server.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))


def point_to(creation: BaseDatabaseCreation, name: str) -> None:
    """What Django does with the database that it has made."""
    creation.connection.close()
    settings.DATABASES[creation.connection.alias]["NAME"] = name
    creation.connection.settings_dict["NAME"] = name
    creation.connection.ensure_connection()


def install() -> None:
    """From now on."""
    BaseDatabaseCreation.create_test_db = create_test_db  # type: ignore[method-assign, assignment]
