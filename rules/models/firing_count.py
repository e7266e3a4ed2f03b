"""How often a tenant's rules acted within an hour, and how often they were held back."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from iotpanel.tenants.models import Tenant, TenantQuerySet


class FiringCount(models.Model):
    """One row per tenant, hour and `slot`: those who count at the same time have different slots.

    No constraint binds it to its tenant: a batch may write it while another transaction deletes that.
    """

    tenant = models.ForeignKey(Tenant, models.CASCADE, db_constraint=False, related_name="+", verbose_name=_("tenant"))
    hour = models.DateTimeField(_("time"))
    slot = models.PositiveSmallIntegerField(default=0)
    fired = models.BigIntegerField(default=0)
    postponed = models.BigIntegerField(default=0)
    skipped = models.BigIntegerField(default=0)

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name = _("count of firings")
        verbose_name_plural = _("counts of firings")
        constraints = [models.UniqueConstraint(fields=["tenant", "hour", "slot"], name="firings_once")]
        indexes = [models.Index(fields=["hour"], name="firings_by_hour")]

    def __str__(self) -> str:
        return f"{self.tenant_id} {self.hour:%F %H}"
