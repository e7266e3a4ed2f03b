"""What became of every report: received = stored + duplicate + rejected + dead-lettered, per device and hour."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class LedgerEntry(models.Model):
    """One batch's counts, written in the batch's transaction as arrays; folded into hours by a task.

    An append of one row costs the batch next to nothing, where an upsert per device would cost as much as the data.
    `counts` is `[[device_id or 0, received, stored, duplicate, rejected, dead_lettered, heartbeats], ...]`,
    device 0 standing for uplinks that belong to no known device.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    counts = models.JSONField()


class LedgerHour(models.Model):
    """The counts of one device (0: none known) in one hour."""

    pk = models.CompositePrimaryKey("device_id", "hour")
    device_id = models.BigIntegerField()
    hour = models.DateTimeField()
    received = models.BigIntegerField(_("received"), default=0)
    stored = models.BigIntegerField(_("stored"), default=0)
    duplicate = models.BigIntegerField(_("duplicate"), default=0)
    rejected = models.BigIntegerField(_("rejected"), default=0)
    dead_lettered = models.BigIntegerField(_("dead-lettered"), default=0)
    heartbeats = models.BigIntegerField(_("heartbeats"), default=0)

    class Meta:
        indexes = [models.Index(fields=["hour"], name="ledger_by_hour")]


class LedgerMinute(models.Model):
    """What a tenant's devices sent in one minute together: the throughput of the last days."""

    pk = models.CompositePrimaryKey("tenant_id", "minute")
    tenant_id = models.BigIntegerField()
    minute = models.DateTimeField()
    received = models.BigIntegerField(_("received"), default=0)
    stored = models.BigIntegerField(_("stored"), default=0)
