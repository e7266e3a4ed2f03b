"""The newest value of each property of a device: one row per device, merged property by property."""

from django.db import models


class Latest(models.Model):
    """`values` is `{property: [value, µs since 1970]}`; `newest_at` is the newest of these instants.

    `merged_from` is the oldest instant of what was merged last: a merge whose oldest is newer than everything here
    may simply replace, which is nearly always so.
    """

    device_id = models.BigIntegerField(primary_key=True)
    newest_at = models.DateTimeField()
    merged_from = models.DateTimeField()
    values = models.JSONField(default=dict)

    class Meta:
        verbose_name = "latest values"
        verbose_name_plural = "latest values"
