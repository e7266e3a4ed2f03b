"""Ways in which a database is there and yet of no use: each a context in which it is so."""

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import psycopg
from psycopg import sql

from tests.services import Services

WRITTEN = ("telemetry_report", "telemetry_latest", "telemetry_ledgerentry")
OTHERS = "SELECT pid FROM pg_stat_activity WHERE usename = current_user AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
FULL = """
    CREATE FUNCTION fault_full() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$;
    CREATE TRIGGER fault_full BEFORE INSERT ON {table} FOR EACH STATEMENT EXECUTE FUNCTION fault_full();
"""
LINGER = """
    CREATE FUNCTION fault_linger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(1); RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER fault_linger AFTER INSERT ON telemetry_ledgerentry
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fault_linger();
"""


def connect(services: Services) -> psycopg.Connection:
    return psycopg.connect(services.database_url, autocommit=True)


@contextmanager
def stopped(services: Services, _chance: random.Random) -> Iterator[None]:
    """It is shut down, and refuses connections."""
    services.stop("postgres")
    try:
        yield
    finally:
        services.start("postgres")


@contextmanager
def slow(services: Services, _chance: random.Random) -> Iterator[None]:
    """All its sessions stand still for nine tenths of the time, as on a disk that cannot keep up."""
    over = threading.Event()

    def drag() -> None:
        with connect(services) as database:
            while not over.is_set():
                pids = [pid for (pid,) in database.execute(OTHERS)]
                tell(pids, signal.SIGSTOP)
                over.wait(0.45)
                tell(pids, signal.SIGCONT)
                time.sleep(0.05)

    thread = threading.Thread(target=drag, name="drag")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def tell(pids: list[int], word: signal.Signals) -> None:
    for pid in pids:
        try:
            os.kill(pid, word)
        except ProcessLookupError:
            pass


@contextmanager
def locked(services: Services, chance: random.Random) -> Iterator[None]:
    """Somebody holds a lock on a table that every batch writes."""
    with connect(services) as database, database.transaction():
        database.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(sql.Identifier(chance.choice(WRITTEN))))
        yield


@contextmanager
def read_only(services: Services, _chance: random.Random) -> Iterator[None]:
    """It takes no writes, as a standby does; when it takes them again, nobody tells the sessions that began before."""
    name = sql.Identifier(services.database)
    with connect(services) as database:
        database.execute(sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = on").format(name))
        database.execute(f"SELECT pg_terminate_backend(pid) FROM ({OTHERS}) AS others")
        try:
            yield
        finally:
            database.execute("SET default_transaction_read_only = off")
            database.execute(sql.SQL("ALTER DATABASE {} RESET default_transaction_read_only").format(name))


@contextmanager
def full(services: Services, chance: random.Random) -> Iterator[None]:
    """Its disk is full: a table that every batch writes cannot grow."""
    with connect(services) as database:
        database.execute(sql.SQL(FULL).format(table=sql.Identifier(chance.choice(WRITTEN))))
        try:
            yield
        finally:
            database.execute("DROP FUNCTION fault_full CASCADE")


@contextmanager
def lingering(services: Services) -> Iterator[None]:
    """It takes a second for each commit. Who dies in the meantime has committed all the same, and never hears of it."""
    with connect(services) as database:
        database.execute(LINGER)
        try:
            yield
        finally:
            database.execute("DROP FUNCTION fault_linger CASCADE")


def is_committing(services: Services) -> bool:
    """Whether somebody waits for a commit that lingers."""
    with connect(services) as database:
        return database.execute(f"SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND pid IN ({OTHERS})").fetchone() is not None


Sickness = Callable[[Services, random.Random], AbstractContextManager[None]]
SICKNESSES: dict[str, Sickness] = {"stopped": stopped, "slow": slow, "locked": locked, "read-only": read_only, "full": full}
