"""Commands, and how many of them a device may be busy with."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("devices", "0008_command_ids"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="product",
            name="command_window",
            field=models.PositiveSmallIntegerField(
                default=1, help_text="How many commands of a device may wait for a reply at a time.", verbose_name="commands at once"
            ),
        ),
        migrations.CreateModel(
            name="Command",
            fields=[
                ("id", models.BigIntegerField(db_default=models.Func(function="devices_command_id"), primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=64, verbose_name="command")),
                ("params", models.JSONField(default=dict, verbose_name="parameters")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("sent", "Sent"),
                            ("delivered", "Delivered"),
                            ("succeeded", "Succeeded"),
                            ("failed", "Failed"),
                            ("timed_out", "Timed out"),
                            ("expired", "Expired"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="queued",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=32, verbose_name="reason")),
                ("error", models.TextField(blank=True, verbose_name="error")),
                ("result", models.JSONField(null=True, verbose_name="result")),
                ("priority", models.SmallIntegerField(default=0, verbose_name="priority")),
                ("replace_key", models.CharField(blank=True, max_length=64, verbose_name="replaces those with the same")),
                ("idempotent", models.BooleanField(default=False, verbose_name="idempotent")),
                ("one_way", models.BooleanField(default=False, verbose_name="without reply")),
                ("timeout", models.FloatField(verbose_name="timeout (s)")),
                ("hops", models.SmallIntegerField(default=0)),
                ("attempts", models.SmallIntegerField(default=0, verbose_name="attempts")),
                ("in_flight", models.BooleanField(default=False)),
                (
                    "waits",
                    models.CharField(
                        blank=True,
                        choices=[("", "its turn"), ("device", "the device"), ("retry", "another attempt"), ("pace", "the rate limit")],
                        max_length=8,
                        verbose_name="waits for",
                    ),
                ),
                ("due_at", models.DateTimeField()),
                ("created_at", models.DateTimeField(verbose_name="created at")),
                ("expires_at", models.DateTimeField(verbose_name="expires at")),
                ("sent_at", models.DateTimeField(null=True, verbose_name="sent at")),
                ("finished_at", models.DateTimeField(null=True, verbose_name="finished at")),
                ("history", models.JSONField(default=list, verbose_name="history")),
                (
                    "device",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="commands",
                        to="devices.device",
                        verbose_name="device",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="sent by",
                    ),
                ),
            ],
            options={
                "verbose_name": "command",
                "verbose_name_plural": "commands",
                "ordering": ["-id"],
                "indexes": [
                    models.Index(fields=["device", "id"], name="command_of_device"),
                    models.Index(
                        models.F("device"),
                        models.OrderBy(models.F("priority"), descending=True),
                        models.F("id"),
                        condition=models.Q(("finished_at", None), ("in_flight", False)),
                        name="command_queue",
                    ),
                    models.Index(condition=models.Q(("in_flight", True)), fields=["device"], name="command_in_flight"),
                    models.Index(condition=models.Q(("finished_at", None)), fields=["due_at"], name="command_due"),
                ],
            },
        ),
    ]
