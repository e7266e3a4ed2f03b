"""What long runs in the background have in common: how they stand, who began them, and when."""

from typing import Self

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from iotpanel.tenants.models import TenantQuerySet


class RunState(models.TextChoices):
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    CANCELLED = "cancelled", _("Cancelled")


class RunSet(TenantQuerySet):
    def unfinished(self) -> Self:
        return self.filter(state=RunState.RUNNING)


class Run(models.Model):
    state = models.CharField(_("state"), max_length=12, choices=RunState.choices, default=RunState.RUNNING, editable=False)
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", editable=False)
    created_at = models.DateTimeField(_("started at"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, editable=False)

    class Meta:
        abstract = True
        ordering = ["-created_at", "-id"]
