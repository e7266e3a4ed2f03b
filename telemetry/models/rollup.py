"""Readings rolled up by device, property and bucket, so that a chart of a month reads a few hundred rows."""

from django.db import models


class Rollup(models.Model):
    """`numbers` counts the readings that `total`, `low` and `high` cover: numbers, and booleans as 0 and 1."""

    pk = models.CompositePrimaryKey("device_id", "property", "bucket")
    device_id = models.BigIntegerField()
    property = models.CharField(max_length=256)
    bucket = models.DateTimeField()
    count = models.BigIntegerField()
    numbers = models.BigIntegerField()
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
    """Up to where minutes are sealed (older data mark their hour dirty) and up to where they are rolled up.

    The first runs ahead of the second, so that a run that dies in between is taken up where it ended.
    """

    id = models.SmallIntegerField(primary_key=True, default=1)
    sealed_to = models.DateTimeField()
    rolled_up_to = models.DateTimeField()


class DirtyBucket(models.Model):
    """An hour of a device that has changed since it was sealed; `claimed` while a run works on it."""

    pk = models.CompositePrimaryKey("device_id", "hour", "claimed")
    device_id = models.BigIntegerField()
    hour = models.DateTimeField()
    claimed = models.BooleanField(default=False)


class Forgotten(models.Model):
    """Up to where data of a product (0: of all) were dropped on purpose, by level and property ("": all of them).

    Rollups before the mark of `raw` are the only copy and are never recomputed; a level isn't read before its own.
    """

    pk = models.CompositePrimaryKey("product_id", "level", "property")
    product_id = models.BigIntegerField()
    level = models.CharField(max_length=8)
    property = models.CharField(max_length=256, default="")
    before = models.DateTimeField()
