"""How often each tenant's rules acted, by the hour."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("rules", "0005_rule_trigger"),
        ("tenants", "0002_rate_limits"),
    ]

    operations = [
        migrations.CreateModel(
            name="FiringCount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("hour", models.DateTimeField(verbose_name="time")),
                ("slot", models.PositiveSmallIntegerField(default=0)),
                ("fired", models.BigIntegerField(default=0)),
                ("postponed", models.BigIntegerField(default=0)),
                ("skipped", models.BigIntegerField(default=0)),
                (
                    "tenant",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="tenants.tenant",
                        verbose_name="tenant",
                    ),
                ),
            ],
            options={
                "verbose_name": "count of firings",
                "verbose_name_plural": "counts of firings",
                "indexes": [models.Index(fields=["hour"], name="firings_by_hour")],
                "constraints": [models.UniqueConstraint(fields=("tenant", "hour", "slot"), name="firings_once")],
            },
        ),
    ]
