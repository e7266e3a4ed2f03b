"""The store's main table: one row per device and instant, a hypertable where TimescaleDB is there."""

from django.db import models
from timescale.db.models.fields import TimescaleDateTimeField


class ReportRow(models.Model):
    """The readings of one device at one instant. No foreign key: a check per row would cost more than the row."""

    pk = models.CompositePrimaryKey("device_id", "at")
    device_id = models.BigIntegerField()
    at = TimescaleDateTimeField(interval="7 days")
    values = models.JSONField()

    class Meta:
        db_table = "telemetry_report"
        verbose_name = "report"
