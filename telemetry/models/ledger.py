"""What became of every report: received = stored + duplicate + rejected + dead-lettered, per device and hour."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _


def numbers(*, null: bool = True) -> ArrayField:
    """One number for each of a batch's devices; NULL where all of them are 0."""
    return ArrayField(models.BigIntegerField(), null=null)


class LedgerEntry(models.Model):
    """One batch's counts, written in the batch's transaction as arrays; folded into hours by a task.

    An append of one row costs the batch next to nothing, where an upsert per device would cost as much as the data; and a
    column each is taken apart in a fraction of the time that a JSON document takes.
    """

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    devices = numbers(null=False)  # 0 stands for uplinks that belong to no known device
    received = numbers()
    stored = numbers()
    duplicate = numbers()
    rejected = numbers()
    dead_lettered = numbers()
    heartbeats = numbers()


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
