"""Somebody whom promises are delivered to: how they do, and who delivers to them right now."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from iotpanel.tenants.models import Tenant, TenantQuerySet


class Target(models.Model):
    """One row per `kind`, `target` and `lane` of the outbox. Its lease makes one worker at a time deliver to it, so that order is kept.

    `failures` counts attempts in a row that found the other side down; while it is above zero nothing is sent before
    `paused_until`, and then a single message first, to see whether it is back. `held_at` is since when a person has it wait.
    """

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="+", verbose_name=_("tenant"))
    kind = models.CharField(_("kind"), max_length=32)
    target = models.BigIntegerField(_("target"), default=0)
    lane = models.CharField(_("address"), max_length=16, blank=True, default="", db_default="")
    leased_until = models.DateTimeField(_("leased until"), null=True)
    lease = models.CharField(_("lease"), max_length=32, blank=True)
    paused_until = models.DateTimeField(_("paused until"), null=True)
    held_at = models.DateTimeField(_("held since"), null=True)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0)
    delivered = models.BigIntegerField(_("delivered messages"), default=0)
    dead = models.BigIntegerField(_("messages given up"), default=0)
    last_ok_at = models.DateTimeField(_("last delivery"), null=True)
    last_error = models.TextField(_("last error"), blank=True)
    last_error_at = models.DateTimeField(_("time of the last error"), null=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name = _("delivery target")
        verbose_name_plural = _("delivery targets")
        constraints = [models.UniqueConstraint(fields=["tenant", "kind", "target", "lane"], name="target_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.target}"
