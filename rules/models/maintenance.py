"""A maintenance window: a while in which alarms of some devices are raised onto the shelf, and nobody is called."""

from typing import Any, Self

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from iotpanel.tenants.models import InHistory, Tenant, TenantQuerySet


class MaintenanceSet(TenantQuerySet):
    def now(self) -> Self:
        moment = timezone.now()
        return self.filter(starts_at__lte=moment, ends_at__gt=moment)


class Maintenance(InHistory, models.Model):
    """`scope` says which devices, as a rule's does; an empty one means all of the tenant."""

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="maintenances", verbose_name=_("tenant"))
    name = models.CharField(_("name"), max_length=200)
    scope = models.JSONField(_("scope"), default=dict, blank=True)
    starts_at = models.DateTimeField(_("starts at"))
    ends_at = models.DateTimeField(_("ends at"))
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    objects = MaintenanceSet.as_manager()

    class Meta:
        verbose_name = _("maintenance window")
        verbose_name_plural = _("maintenance windows")
        ordering = ["-starts_at", "-id"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return f"/maintenance/{self.pk}/"

    def covers(self, fits: Any) -> bool:
        """Whether a device is meant; `fits` judges its scope."""
        return not self.scope or bool(fits(self.scope))
