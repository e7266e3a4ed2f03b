"""Changes of presence; what is known of the past is the last change of each device."""

from django.db import migrations, models

SEED = """
INSERT INTO devices_presencechange (device_id, at, online, cause)
SELECT device_id, changed_at, online, cause FROM devices_devicepresence WHERE changed_at IS NOT NULL;
"""


class Migration(migrations.Migration):
    dependencies = [("devices", "0014_certificates")]

    operations = [
        migrations.CreateModel(
            name="PresenceChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("device_id", models.BigIntegerField()),
                ("at", models.DateTimeField()),
                ("online", models.BooleanField()),
                ("cause", models.CharField(blank=True, max_length=16)),
            ],
            options={
                "verbose_name": "change of a presence",
                "verbose_name_plural": "changes of presences",
                "ordering": ["at", "id"],
                "indexes": [models.Index(fields=["device_id", "at"], name="presence_change_by_time")],
            },
        ),
        migrations.RunSQL(SEED, migrations.RunSQL.noop),
    ]
