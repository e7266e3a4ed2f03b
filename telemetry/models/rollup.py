"""Readings rolled up by device, property and bucket, so that a chart of a month reads a few hundred rows."""

from django.db import models


class Rollup(models.Model):
    """`total`, `low` and `high` are null where the property is not a number; `first` and `last` take any type."""

    pk = models.CompositePrimaryKey("device_id", "property", "bucket")
    device_id = models.BigIntegerField()
    property = models.CharField(max_length=256)
    bucket = models.DateTimeField()
    count = models.BigIntegerField()
    total = models.FloatField(null=True)
    low = models.FloatField(null=True)
    high = models.FloatField(null=True)
    first = models.JSONField()
    first_at = models.DateTimeField()
    last = models.JSONField()
    last_at = models.DateTimeField()

    class Meta:
        abstract = True


class RollupMinute(Rollup):
    class Meta:
        db_table = "telemetry_rollup_minute"


class RollupHour(Rollup):
    class Meta:
        db_table = "telemetry_rollup_hour"


class RollupDay(Rollup):
    """Days of UTC; calendar days of another zone are put together from hours."""

    class Meta:
        db_table = "telemetry_rollup_day"


class RollupFrontier(models.Model):
    """Up to where the minutes are rolled up. A batch that writes older data takes the row FOR SHARE and marks its hours dirty."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    rolled_up_to = models.DateTimeField()


class DirtyBucket(models.Model):
    """An hour of a device that was rolled up already and has changed since."""

    pk = models.CompositePrimaryKey("device_id", "hour")
    device_id = models.BigIntegerField()
    hour = models.DateTimeField()
