"""A command: something that a device is asked to do. Its row is its own outbox."""

from django.db import models
from django.db.models import F, Func, Q
from django.utils.translation import gettext_lazy as _

from iotpanel.tenants.models import TenantQuerySet, User

from .device import Device


class CommandState(models.TextChoices):
    QUEUED = "queued", _("Queued")
    SENT = "sent", _("Sent")
    DELIVERED = "delivered", _("Delivered")
    SUCCEEDED = "succeeded", _("Succeeded")
    FAILED = "failed", _("Failed")
    TIMED_OUT = "timed_out", _("Timed out")
    EXPIRED = "expired", _("Expired")
    CANCELLED = "cancelled", _("Cancelled")


class CommandSet(TenantQuerySet):
    tenant_path = "device__tenant"


class Command(models.Model):
    """One command to one device.

    `id` grows with time and never comes again, even after a restore, because devices ignore an id that they have seen.
    `in_flight` is true from just before the publish until the end; `due_at` is when the sweep has to look at the row:
    queued, when it may be sent; in flight, when the reply is overdue. `waits` says what a queued one waits for. A command without
    reply ends as `sent`: nobody knows more. `history` lists each state with its time in ms.
    """

    class Waits(models.TextChoices):
        TURN = "", _("its turn")
        DEVICE = "device", _("the device")
        RETRY = "retry", _("another attempt")
        PACE = "pace", _("the rate limit")

    id = models.BigIntegerField(primary_key=True, db_default=Func(function="devices_command_id"))
    device = models.ForeignKey(Device, models.CASCADE, related_name="commands", verbose_name=_("device"), db_index=False)
    person = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+", verbose_name=_("sent by"))
    name = models.CharField(_("command"), max_length=64)
    params = models.JSONField(_("parameters"), default=dict)
    state = models.CharField(_("state"), max_length=10, choices=CommandState.choices, default=CommandState.QUEUED)
    reason = models.CharField(_("reason"), max_length=32, blank=True)
    error = models.TextField(_("error"), blank=True)
    result = models.JSONField(_("result"), null=True)
    priority = models.SmallIntegerField(_("priority"), default=0)
    replace_key = models.CharField(_("replaces those with the same"), max_length=64, blank=True)
    idempotent = models.BooleanField(_("idempotent"), default=False)
    one_way = models.BooleanField(_("without reply"), default=False)
    timeout = models.FloatField(_("timeout (s)"))
    hops = models.SmallIntegerField(default=0)
    attempts = models.SmallIntegerField(_("attempts"), default=0)
    in_flight = models.BooleanField(default=False)
    waits = models.CharField(_("waits for"), max_length=8, choices=Waits.choices, blank=True)
    due_at = models.DateTimeField()
    created_at = models.DateTimeField(_("created at"))
    expires_at = models.DateTimeField(_("expires at"))
    sent_at = models.DateTimeField(_("sent at"), null=True)
    finished_at = models.DateTimeField(_("finished at"), null=True)
    history = models.JSONField(_("history"), default=list)

    objects = CommandSet.as_manager()

    class Meta:
        verbose_name = _("command")
        verbose_name_plural = _("commands")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["device", "id"], name="command_of_device"),
            models.Index(F("device"), F("priority").desc(), F("id"), condition=Q(finished_at=None, in_flight=False), name="command_queue"),
            models.Index(fields=["device"], condition=Q(in_flight=True), name="command_in_flight"),
            models.Index(fields=["due_at"], condition=Q(finished_at=None), name="command_due"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.pk}"

    @property
    def final(self) -> bool:
        return self.finished_at is not None
