"""Say on commit that rules, or what decides which devices they concern, changed.

On the channel that the uplink listens to already: whoever has read rules forgets them then.
"""

from django.db import migrations

WATCHED = ("rules_rule", "rules_maintenance", "devices_group", "devices_device_groups")


def trigger(table: str) -> str:
    return (
        f"CREATE TRIGGER {table}_rules AFTER INSERT OR UPDATE OR DELETE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION devices_say_changed('iotpanel_directory');"
    )


class Migration(migrations.Migration):
    dependencies = [("rules", "0002_alarms"), ("devices", "0005_restrict")]
    operations = [
        migrations.RunSQL(
            "".join(trigger(table) for table in WATCHED), "".join(f"DROP TRIGGER {table}_rules ON {table};" for table in WATCHED)
        ),
    ]
