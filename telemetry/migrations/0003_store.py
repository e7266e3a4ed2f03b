"""The store's tables in their final shape: hypertables, and what a merge, late data and erasure need of the database."""

import timescale.db.models.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("telemetry", "0002_initial")]

    # Nothing was ever written to the tables that are made anew here.
    operations = [
        migrations.CreateModel(
            name="Forgotten",
            fields=[
                ("product_id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("before", models.DateTimeField()),
            ],
        ),
        migrations.DeleteModel("DirtyBucket"),
        migrations.CreateModel(
            name="DirtyBucket",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "device_id", "hour", "claimed", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("device_id", models.BigIntegerField()),
                ("hour", models.DateTimeField()),
                ("claimed", models.BooleanField(default=False)),
            ],
        ),
        migrations.DeleteModel("RollupFrontier"),
        migrations.CreateModel(
            name="RollupFrontier",
            fields=[
                ("id", models.SmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("sealed_to", models.DateTimeField()),
                ("rolled_up_to", models.DateTimeField()),
            ],
        ),
        migrations.DeleteModel("Latest"),
        migrations.CreateModel(
            name="Latest",
            fields=[
                ("device_id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("newest_at", models.DateTimeField()),
                ("merged_from", models.DateTimeField()),
                ("values", models.JSONField(default=dict)),
            ],
            options={"verbose_name": "latest values", "verbose_name_plural": "latest values"},
        ),
        migrations.DeleteModel("RollupMinute"),
        migrations.CreateModel(
            name="RollupMinute",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "device_id", "property", "bucket", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("device_id", models.BigIntegerField()),
                ("property", models.CharField(max_length=256)),
                ("bucket", models.DateTimeField()),
                ("count", models.BigIntegerField()),
                ("numbers", models.BigIntegerField()),
                ("total", models.FloatField(null=True)),
                ("low", models.FloatField(null=True)),
                ("high", models.FloatField(null=True)),
                ("first", models.JSONField()),
                ("first_at", models.DateTimeField()),
                ("last", models.JSONField()),
                ("last_at", models.DateTimeField()),
            ],
            options={"db_table": "telemetry_rollup_minute"},
        ),
        migrations.DeleteModel("RollupHour"),
        migrations.CreateModel(
            name="RollupHour",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "device_id", "property", "bucket", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("device_id", models.BigIntegerField()),
                ("property", models.CharField(max_length=256)),
                ("bucket", models.DateTimeField()),
                ("count", models.BigIntegerField()),
                ("numbers", models.BigIntegerField()),
                ("total", models.FloatField(null=True)),
                ("low", models.FloatField(null=True)),
                ("high", models.FloatField(null=True)),
                ("first", models.JSONField()),
                ("first_at", models.DateTimeField()),
                ("last", models.JSONField()),
                ("last_at", models.DateTimeField()),
            ],
            options={"db_table": "telemetry_rollup_hour"},
        ),
        migrations.DeleteModel("RollupDay"),
        migrations.CreateModel(
            name="RollupDay",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "device_id", "property", "bucket", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("device_id", models.BigIntegerField()),
                ("property", models.CharField(max_length=256)),
                ("bucket", models.DateTimeField()),
                ("count", models.BigIntegerField()),
                ("numbers", models.BigIntegerField()),
                ("total", models.FloatField(null=True)),
                ("low", models.FloatField(null=True)),
                ("high", models.FloatField(null=True)),
                ("first", models.JSONField()),
                ("first_at", models.DateTimeField()),
                ("last", models.JSONField()),
                ("last_at", models.DateTimeField()),
            ],
            options={"db_table": "telemetry_rollup_day"},
        ),
        migrations.AlterField("Event", "at", timescale.db.models.fields.TimescaleDateTimeField(interval="30 days")),
        migrations.AlterField("ReportRow", "at", timescale.db.models.fields.TimescaleDateTimeField(interval="7 days")),
    ]
