"""Say on commit that devices, products or credentials changed, whoever changed them and how.

The uplink worker forgets what it had cached (channel `iotpanel_directory`), and the broker's account files are
written anew (`iotpanel_accounts`). Triggers, because bulk updates, SQL and other processes change rows too.
PostgreSQL folds equal notifications of a transaction into one.
"""

from django.db import migrations

FUNCTIONS = """
CREATE OR REPLACE FUNCTION devices_say_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify(TG_ARGV[0], TG_TABLE_NAME);
    RETURN NULL;
END $$;
"""
WATCHED = {
    "iotpanel_directory": ["devices_device", "devices_product", "devices_discovered"],
    "iotpanel_accounts": ["devices_device", "devices_product", "devices_credential"],
}


def trigger(channel: str, table: str) -> str:
    # A new device changes nothing that anybody cached: look-ups of unknown keys are not cached.
    events = "UPDATE OR DELETE" if (channel, table) == ("iotpanel_directory", "devices_device") else "INSERT OR UPDATE OR DELETE"
    return (
        f"CREATE TRIGGER {table}_{channel} AFTER {events} ON {table} FOR EACH STATEMENT EXECUTE FUNCTION devices_say_changed('{channel}');"
    )


class Migration(migrations.Migration):
    dependencies = [("devices", "0003_discovered")]
    operations = [
        migrations.RunSQL(FUNCTIONS, "DROP FUNCTION devices_say_changed() CASCADE"),
        migrations.RunSQL(
            "".join(trigger(channel, table) for channel, tables in WATCHED.items() for table in tables),
            "".join(f"DROP TRIGGER {table}_{channel} ON {table};" for channel, tables in WATCHED.items() for table in tables),
        ),
    ]
