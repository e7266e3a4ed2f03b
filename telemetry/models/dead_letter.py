"""Uplinks that could not be accepted, kept with their bytes and a reason, ready to be replayed."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from devices.exceptions import REASONS
from devices.models import Device, Product
from iotpanel.tenants.models import Tenant, TenantQuerySet


class DeadLetterSet(TenantQuerySet):
    def open(self) -> "DeadLetterSet":
        """Those not yet accepted by a replay."""
        return self.filter(replayed_at=None)


class DeadLetterRecord(models.Model):
    """`tenant` is null where nobody knows whose it is (an unknown device): only superusers see those."""

    tenant = models.ForeignKey(Tenant, models.CASCADE, null=True, related_name="dead_letters")
    product = models.ForeignKey(Product, models.SET_NULL, null=True, related_name="+", verbose_name=_("product"))
    device = models.ForeignKey(Device, models.CASCADE, null=True, related_name="dead_letters", verbose_name=_("device"))
    key = models.CharField(_("device key"), max_length=256, blank=True)
    topic = models.TextField(_("topic"))
    source = models.CharField(_("source"), max_length=16, default="mqtt")
    reason = models.CharField(_("reason"), max_length=32, choices=[(reason, reason) for reason in sorted(REASONS)])
    detail = models.TextField(_("detail"), blank=True)
    payload = models.BinaryField(_("payload"))
    index = models.IntegerField(_("report in frame"), null=True)
    received_at = models.DateTimeField(_("received at"))
    replayed_at = models.DateTimeField(_("replayed at"), null=True)

    objects = DeadLetterSet.as_manager()

    class Meta:
        db_table = "telemetry_dead_letter"
        verbose_name = _("dead letter")
        verbose_name_plural = _("dead letters")
        ordering = ["-received_at", "-id"]
        indexes = [
            models.Index(fields=["tenant", "-received_at"], name="dead_letter_by_time"),
            models.Index(fields=["device", "-received_at"], name="dead_letter_by_device"),
        ]

    def __str__(self) -> str:
        return f"{self.reason} {self.topic}"
