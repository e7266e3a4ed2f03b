"""A run that decodes archived messages anew: from where to where, how far it is, and what came of it."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from devices.models import Device, Product
from iotpanel.tenants.models import TenantQuerySet


class RunState(models.TextChoices):
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    CANCELLED = "cancelled", _("Cancelled")


class RunSet(TenantQuerySet):
    tenant_path = "product__tenant"

    def unfinished(self) -> "RunSet":
        return self.filter(state=RunState.RUNNING)


class ReprocessRun(models.Model):
    """`device_id_done` and `received_at_done` name the last message done: every step moves them in its transaction."""

    product = models.ForeignKey(Product, models.CASCADE, related_name="reprocess_runs", verbose_name=_("product"))
    device = models.ForeignKey(Device, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("device"))
    since = models.DateTimeField(_("received since"))
    until = models.DateTimeField(_("received before"))
    state = models.CharField(_("state"), max_length=12, choices=RunState.choices, default=RunState.RUNNING, editable=False)
    device_id_done = models.BigIntegerField(default=0, editable=False)
    received_at_done = models.DateTimeField(null=True, editable=False)
    messages = models.BigIntegerField(_("messages"), default=0, editable=False)
    stored = models.BigIntegerField(_("stored"), default=0, editable=False)
    unchanged = models.BigIntegerField(_("unchanged"), default=0, editable=False)
    failed = models.BigIntegerField(_("failed"), default=0, editable=False)
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", editable=False)
    created_at = models.DateTimeField(_("started at"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, editable=False)

    objects = RunSet.as_manager()

    class Meta:
        db_table = "telemetry_reprocess_run"
        verbose_name = _("reprocessing run")
        verbose_name_plural = _("reprocessing runs")
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return f"{self.product_id} {self.since:%Y-%m-%d %H:%M}"
