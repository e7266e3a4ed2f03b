"""Client certificates of devices; the broker's files are written anew when they change (see 0004_notify)."""

import django.db.models.deletion
from django.db import migrations, models

import iotpanel.tenants.models.history

TRIGGER = """
CREATE TRIGGER devices_devicecertificate_iotpanel_accounts AFTER INSERT OR UPDATE OR DELETE ON devices_devicecertificate
FOR EACH STATEMENT EXECUTE FUNCTION devices_say_changed('iotpanel_accounts');
"""


class Migration(migrations.Migration):
    dependencies = [("devices", "0013_firmware")]
    operations = [
        migrations.CreateModel(
            name="DeviceCertificate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(editable=False, max_length=64, verbose_name="common name")),
                ("serial", models.CharField(editable=False, max_length=40, unique=True, verbose_name="serial number")),
                ("fingerprint", models.CharField(editable=False, max_length=64, unique=True, verbose_name="SHA-256 fingerprint")),
                ("key_kind", models.CharField(editable=False, max_length=20, verbose_name="kind of key")),
                ("not_before", models.DateTimeField(editable=False, verbose_name="valid from")),
                ("not_after", models.DateTimeField(editable=False, verbose_name="valid until")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created at")),
                ("revoked_at", models.DateTimeField(editable=False, null=True, verbose_name="revoked at")),
                (
                    "device",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="certificates",
                        to="devices.device",
                        verbose_name="device",
                    ),
                ),
            ],
            options={
                "verbose_name": "device certificate",
                "verbose_name_plural": "device certificates",
                "ordering": ["-id"],
                "indexes": [models.Index(fields=["not_after"], name="certificate_by_end")],
            },
            bases=(iotpanel.tenants.models.history.InHistory, models.Model),
        ),
        migrations.RunSQL(TRIGGER, "DROP TRIGGER devices_devicecertificate_iotpanel_accounts ON devices_devicecertificate"),
    ]
