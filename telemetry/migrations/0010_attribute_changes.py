"""Changes of attributes; what is known of the past is when each was last said, and all that was shared with devices."""

from django.db import migrations, models

SEED = """
INSERT INTO telemetry_attributechange (device_id, scope, key, at, value)
SELECT device_id, scope, key, at, value FROM telemetry_attribute
UNION ALL
SELECT step.device_id, 'shared', part.key, step.at, part.value
FROM devices_shadowstep step CROSS JOIN LATERAL jsonb_each(step.patch) AS part
WHERE step.part = 'shared' AND jsonb_typeof(step.patch) = 'object' AND length(part.key) <= 64
ORDER BY 4;
"""


class Migration(migrations.Migration):
    dependencies = [("telemetry", "0009_replay_run"), ("devices", "0015_presence_changes")]

    operations = [
        migrations.CreateModel(
            name="AttributeChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("device_id", models.BigIntegerField()),
                (
                    "scope",
                    models.CharField(
                        choices=[("reported", "Reported"), ("server", "Server"), ("shared", "Shared")],
                        max_length=8,
                    ),
                ),
                ("key", models.CharField(max_length=64)),
                ("at", models.DateTimeField()),
                ("value", models.JSONField(null=True)),
            ],
            options={
                "verbose_name": "change of an attribute",
                "verbose_name_plural": "changes of attributes",
                "ordering": ["at", "id"],
                "indexes": [models.Index(fields=["device_id", "at"], name="attribute_change_by_time")],
            },
        ),
        migrations.RunSQL(SEED, migrations.RunSQL.noop),
    ]
