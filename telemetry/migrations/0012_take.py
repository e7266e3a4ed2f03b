"""Calls that write what batches are made of: the newest values, for telemetry/latest.py, and all of it, for telemetry/at_once.py."""

from django.db import migrations

# Sorted, so that two batches that meet on the same devices wait for each other instead of locking each other out.
MERGE = """
CREATE FUNCTION telemetry_merge(devices bigint[], newest timestamptz[], oldest timestamptz[], documents text[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO telemetry_latest AS row (device_id, newest_at, merged_from, values)
    SELECT new.device_id, new.newest_at, new.merged_from, new.document::jsonb
    FROM unnest(devices, newest, oldest, documents) AS new (device_id, newest_at, merged_from, document) ORDER BY 1
    ON CONFLICT (device_id) DO UPDATE SET
        newest_at = greatest(row.newest_at, excluded.newest_at),
        merged_from = excluded.merged_from,
        values = CASE WHEN excluded.merged_from >= row.newest_at THEN row.values || excluded.values
                      ELSE telemetry_newer(row.values, excluded.values) END;
END
$$
"""
UNMERGE = "DROP FUNCTION telemetry_merge(bigint[], timestamptz[], timestamptz[], text[])"
# Documents come as text, so that one that is no JSON here (\\u0000) is met where it can be caught.
TAKE = """
CREATE FUNCTION telemetry_take(
    devices bigint[], instants timestamptz[], documents text[],
    latest_of bigint[], newest timestamptz[], oldest timestamptz[], latest text[],
    counted bigint[], received bigint[], stored bigint[], duplicate bigint[], rejected bigint[], dead_lettered bigint[], heartbeats bigint[]
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    sealed timestamptz;
BEGIN
    BEGIN
        INSERT INTO telemetry_report (device_id, at, values)
        SELECT new.device_id, new.at, new.document::jsonb FROM unnest(devices, instants, documents) AS new (device_id, at, document);
    EXCEPTION WHEN data_exception OR integrity_constraint_violation OR program_limit_exceeded THEN
        RETURN false;
    END;
    -- As telemetry_frontier() and telemetry/stores/late.py: what is sealed is read once the lock is held.
    PERFORM pg_advisory_xact_lock_shared(7104001);
    SELECT sealed_to INTO sealed FROM telemetry_rollupfrontier WHERE id = 1;
    INSERT INTO telemetry_dirtybucket (device_id, hour, claimed)
    SELECT DISTINCT late.device_id, date_trunc('hour', late.at, 'UTC'), false
    FROM unnest(devices, instants) AS late (device_id, at) WHERE late.at < sealed ORDER BY 1, 2
    ON CONFLICT DO NOTHING;
    PERFORM telemetry_merge(latest_of, newest, oldest, latest);
    INSERT INTO telemetry_ledgerentry (at, devices, received, stored, duplicate, rejected, dead_lettered, heartbeats)
    VALUES (now(), counted, received, stored, duplicate, rejected, dead_lettered, heartbeats);
    RETURN true;
END
$$
"""
GONE = """
DROP FUNCTION telemetry_take(
    bigint[], timestamptz[], text[], bigint[], timestamptz[], timestamptz[], text[],
    bigint[], bigint[], bigint[], bigint[], bigint[], bigint[], bigint[]
)
"""


class Migration(migrations.Migration):
    dependencies = [("telemetry", "0011_ledger_columns")]
    operations = [migrations.RunSQL(MERGE, UNMERGE), migrations.RunSQL(TAKE, GONE)]
