"""What was sent to somebody, and what they answered: kept for a while, so that people can look it up."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from iotpanel.tenants.models import Tenant, TenantQuerySet


class Delivery(models.Model):
    """One attempt. Each message to a channel is kept; of forwarders, which send thousands, tests and failures only."""

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="+", verbose_name=_("tenant"))
    kind = models.CharField(_("kind"), max_length=32)
    target = models.BigIntegerField(_("target"), default=0)
    lane = models.CharField(_("address"), max_length=16, blank=True, default="", db_default="")
    at = models.DateTimeField(_("time"))
    ok = models.BooleanField(_("delivered"))
    test = models.BooleanField(_("test message"), default=False)
    messages = models.PositiveIntegerField(_("messages"), default=1)
    sent = models.TextField(_("what was sent"), blank=True)
    answer = models.TextField(_("answer"), blank=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["kind", "target", "-id"], name="delivery_by_target"),
            models.Index(fields=["at"], name="delivery_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.target} {self.at}"
