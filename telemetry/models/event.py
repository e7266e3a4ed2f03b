"""What happened on a device: named, with parameters; a hypertable where TimescaleDB is there."""

from django.db import models
from timescale.db.models.fields import TimescaleDateTimeField


class Event(models.Model):
    """`digest` of the parameters makes a redelivered event the same row, and two different ones of an instant two."""

    pk = models.CompositePrimaryKey("device_id", "at", "name", "digest")
    device_id = models.BigIntegerField()
    at = TimescaleDateTimeField(interval="30 days")
    name = models.CharField(max_length=64)
    digest = models.BinaryField(max_length=16)
    params = models.JSONField()
    received_at = models.DateTimeField()

    class Meta:
        verbose_name = "event"
