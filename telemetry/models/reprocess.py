"""A run that decodes archived messages anew: from where to where, how far it is, and what came of it."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from devices.models import Device, Product

from .run import Run, RunSet


class ReprocessSet(RunSet):
    tenant_path = "product__tenant"


class ReprocessRun(Run):
    """`device_id_done` and `received_at_done` name the last message done: every step moves them in its transaction."""

    product = models.ForeignKey(Product, models.CASCADE, related_name="reprocess_runs", verbose_name=_("product"))
    device = models.ForeignKey(Device, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("device"))
    since = models.DateTimeField(_("received since"))
    until = models.DateTimeField(_("received before"))
    device_id_done = models.BigIntegerField(default=0, editable=False)
    received_at_done = models.DateTimeField(null=True, editable=False)
    messages = models.BigIntegerField(_("messages"), default=0, editable=False)
    stored = models.BigIntegerField(_("stored"), default=0, editable=False)
    unchanged = models.BigIntegerField(_("unchanged"), default=0, editable=False)
    failed = models.BigIntegerField(_("failed"), default=0, editable=False)

    objects = ReprocessSet.as_manager()

    class Meta(Run.Meta):
        db_table = "telemetry_reprocess_run"
        verbose_name = _("reprocessing run")
        verbose_name_plural = _("reprocessing runs")

    def __str__(self) -> str:
        return f"{self.product_id} {self.since:%Y-%m-%d %H:%M}"
