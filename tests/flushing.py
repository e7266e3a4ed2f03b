"""What a test has committed goes quickly: only from the tables that hold something.

Django's own way truncates every table, which makes each of their three hundred files anew, and then looks through all
models for permissions that are missing: a third of a second after each test that commits.
"""

from collections.abc import Sequence
from typing import Any

from django.core.management.commands import flush
from django.db import connection
from django.db.backends.postgresql.operations import DatabaseOperations

MADE_BY_MIGRATE = {"django_content_type", "auth_permission"}
PARAMETERS_ARE_GRANTED = 150_000  # PostgreSQL 15
MAY_BE_QUICK = "SELECT has_parameter_privilege('session_replication_role', 'SET')"
HYPERTABLES = """
    SELECT coalesce(array_agg(hypertable_name::text), '{}') FROM timescaledb_information.hypertables WHERE hypertable_schema = 'public'
"""
DELETE = """
    DO $$
    DECLARE name text; filled boolean;
    BEGIN
        SET LOCAL session_replication_role = replica;  -- neither triggers nor foreign keys, as where tables are truncated
        FOREACH name IN ARRAY '{%s}'::text[] LOOP
            EXECUTE format('SELECT EXISTS (SELECT FROM %%I)', name) INTO filled;
            IF filled AND name = ANY('{%s}') THEN
                EXECUTE format('TRUNCATE %%I', name);
            ELSIF filled THEN
                EXECUTE format('DELETE FROM %%I', name);
            END IF;
        END LOOP;
    END $$
"""
truncate_all = DatabaseOperations.sql_flush


def sql_flush(operations: DatabaseOperations, style: Any, tables: Sequence[str], **options: Any) -> list[str]:
    """The statement that empties the tables; every other server than the suite's own is asked in Django's way."""
    with connection.cursor() as cursor:
        if connection.pg_version < PARAMETERS_ARE_GRANTED or not allowed(cursor):  # type: ignore[attr-defined]
            return list(truncate_all(operations, style, tables, **options))
        cursor.execute("SELECT to_regclass('timescaledb_information.hypertables')")
        has_hypertables = cursor.fetchone()[0]
        if has_hypertables:
            cursor.execute(HYPERTABLES)
        hypertables = cursor.fetchone()[0] if has_hypertables else []
    return [DELETE % (",".join(sorted(set(tables) - MADE_BY_MIGRATE)), ",".join(hypertables))]


def allowed(cursor: Any) -> bool:
    """Whether this role may switch triggers off for a transaction."""
    cursor.execute(MAY_BE_QUICK)
    return bool(cursor.fetchone()[0])


def install() -> None:
    """From now on."""
    DatabaseOperations.sql_flush = sql_flush  # type: ignore[method-assign, assignment]
    flush.emit_post_migrate_signal = lambda *_: None  # type: ignore[attr-defined]
