"""An on-call rotation: who is called when, one after the other."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from iotpanel.tenants.models import InHistory, Tenant, TenantQuerySet


class Rotation(InHistory, models.Model):
    """`people` are usernames, in turn; each is on call for `period` days, from `starts_at` on."""

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="rotations", verbose_name=_("tenant"))
    key = models.CharField(_("key"), max_length=64)
    name = models.CharField(_("name"), max_length=200)
    people = models.JSONField(_("people"), default=list)
    period = models.PositiveSmallIntegerField(_("days each"), default=7)
    starts_at = models.DateTimeField(_("starts at"))
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name = _("on-call rotation")
        verbose_name_plural = _("on-call rotations")
        ordering = ["name", "id"]
        constraints = [models.UniqueConstraint(fields=["tenant", "key"], name="rotation_key_per_tenant")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return f"/rotations/{self.key}/"
