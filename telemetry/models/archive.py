"""Messages as they were received, before anybody decoded them, so that a corrected codec can be run over the past."""

from django.db import models
from timescale.db.models.fields import TimescaleDateTimeField


class ArchivedMessage(models.Model):
    """One message of a device whose product keeps an archive. No foreign key, as in ReportRow.

    `received_at` is made distinct per device: it is the instant that the message's first report without a time got.
    """

    pk = models.CompositePrimaryKey("device_id", "received_at")
    device_id = models.BigIntegerField()
    received_at = TimescaleDateTimeField(interval="1 day")
    topic = models.TextField()
    source = models.TextField()
    payload = models.BinaryField()

    class Meta:
        db_table = "telemetry_archive"
        verbose_name = "archived message"
