"""Shadows and their changes."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("devices", "0010_enrolment"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Shadow",
            fields=[
                (
                    "device",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="shadow",
                        serialize=False,
                        to="devices.device",
                        verbose_name="device",
                    ),
                ),
                ("desired", models.JSONField(default=dict, verbose_name="desired")),
                ("reported", models.JSONField(default=dict, verbose_name="reported")),
                ("shared", models.JSONField(default=dict, verbose_name="shared attributes")),
                ("delta", models.JSONField(default=dict, verbose_name="difference")),
                ("version", models.BigIntegerField(default=0, verbose_name="version")),
                ("answered", models.BigIntegerField(default=0)),
                (
                    "wanted",
                    models.CharField(
                        blank=True, choices=[("", "nothing"), ("delta", "the difference"), ("whole", "the whole shadow")], max_length=8
                    ),
                ),
                ("changed_at", models.DateTimeField(null=True, verbose_name="changed at")),
                ("sent_at", models.DateTimeField(null=True, verbose_name="sent at")),
            ],
            options={
                "verbose_name": "shadow",
                "verbose_name_plural": "shadows",
                "indexes": [models.Index(condition=models.Q(("wanted", ""), _negated=True), fields=["device"], name="shadow_wanted")],
            },
        ),
        migrations.CreateModel(
            name="ShadowStep",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("version", models.BigIntegerField()),
                ("at", models.DateTimeField()),
                ("part", models.CharField(max_length=8)),
                ("patch", models.JSONField()),
                ("whole", models.JSONField(null=True)),
                (
                    "device",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="shadow_steps", to="devices.device"
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name": "change of a shadow",
                "verbose_name_plural": "changes of shadows",
                "ordering": ["-version"],
                "indexes": [models.Index(fields=["device", "at"], name="shadow_step_by_time")],
                "constraints": [models.UniqueConstraint(fields=("device", "version"), name="shadow_step_once")],
            },
        ),
    ]
