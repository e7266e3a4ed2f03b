"""Ids of commands: milliseconds since 2020 and a counter, so that they grow with time and none ever comes again.

Not after a restore either, where a plain sequence would go back: a device ignores an id that it has seen.
"""

from django.db import migrations

IDS = """
CREATE SEQUENCE devices_command_count;
CREATE FUNCTION devices_command_id() RETURNS bigint LANGUAGE sql VOLATILE AS $$
    SELECT (((extract(epoch FROM clock_timestamp()) * 1000)::bigint - 1577836800000) << 20) | (nextval('devices_command_count') & 1048575)
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("devices", "0007_archive")]
    operations = [migrations.RunSQL(IDS, "DROP FUNCTION devices_command_id(); DROP SEQUENCE devices_command_count")]
