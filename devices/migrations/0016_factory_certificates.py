"""Devices that register with a certificate of the factory."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("devices", "0015_presence_changes")]

    operations = [
        migrations.AddField(
            model_name="registrationpolicy",
            name="authority",
            field=models.TextField(blank=True, default="", verbose_name="authorities of the factory"),
        ),
        migrations.AddField(
            model_name="registrationpolicy",
            name="common_name",
            field=models.CharField(default="{serial}", max_length=128, verbose_name="common name"),
        ),
    ]
