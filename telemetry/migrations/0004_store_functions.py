"""What the store needs inside the database: a merge by property, the frontier under its lock, and the trace of a deletion."""

from django.db import migrations

# Property by property the newer instant wins; of two of one instant the one that arrives later.
NEWER = """
CREATE FUNCTION telemetry_newer(old jsonb, new jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT old || coalesce(jsonb_object_agg(key, value), '{}')
    FROM jsonb_each(new)
    WHERE NOT old ? key OR (value ->> 1)::bigint >= (old -> key ->> 1)::bigint
$$
"""
# Two statements, so that the second sees what was committed while the first waited. See telemetry/stores/late.py.
FRONTIER = """
CREATE FUNCTION telemetry_frontier() RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(7104001);
    RETURN coalesce((SELECT extract(epoch FROM sealed_to) * 1000000 FROM telemetry_rollupfrontier WHERE id = 1), -9000000000000000000);
END
$$
"""
# A device's readings have no foreign key: its deletion leaves word here, and a task erases them in bounded steps.
ERASURE = """
CREATE FUNCTION telemetry_erase_later() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO telemetry_erasure (device_id, requested_at) SELECT id, now() FROM gone ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;
CREATE TRIGGER telemetry_erase_later AFTER DELETE ON devices_device
REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION telemetry_erase_later()
"""
NO_ERASURE = "DROP TRIGGER telemetry_erase_later ON devices_device; DROP FUNCTION telemetry_erase_later()"

# Room in every page for the next version of a row that changes with every batch.
ROOM = "ALTER TABLE telemetry_latest SET (fillfactor = 50)"
NO_ROOM = "ALTER TABLE telemetry_latest RESET (fillfactor)"


class Migration(migrations.Migration):
    dependencies = [("telemetry", "0003_store"), ("devices", "0001_initial")]

    operations = [
        migrations.RunSQL(NEWER, "DROP FUNCTION telemetry_newer(jsonb, jsonb)"),
        migrations.RunSQL(FRONTIER, "DROP FUNCTION telemetry_frontier()"),
        migrations.RunSQL(ERASURE, NO_ERASURE),
        migrations.RunSQL(ROOM, NO_ROOM),
        migrations.RunSQL(
            "INSERT INTO telemetry_rollupfrontier (id, sealed_to, rolled_up_to)"
            " VALUES (1, date_trunc('minute', now()), date_trunc('minute', now()))",
            migrations.RunSQL.noop,
        ),
    ]
