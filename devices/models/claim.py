"""Claim codes: who holds the code of a device that was prepared may take it into use."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from iotpanel.tenants.models import InHistory, TenantQuerySet

from .device import Device


class ClaimSet(TenantQuerySet):
    tenant_path = "device__tenant"


class Claim(InHistory, models.Model):
    """One code of one device. Only its digest is kept; `transferable`: also people of other tenants may claim the device."""

    device = models.OneToOneField(Device, models.CASCADE, related_name="claim", verbose_name=_("device"))
    digest = models.CharField(max_length=64, unique=True, editable=False)
    transferable = models.BooleanField(_("by any tenant"), default=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires at"))
    claimed_at = models.DateTimeField(_("claimed at"), null=True, editable=False)

    objects = ClaimSet.as_manager()

    class Meta:
        verbose_name = _("claim code")
        verbose_name_plural = _("claim codes")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return str(self.device_id)

    def history_tenant(self) -> int | None:
        return Device.objects.filter(pk=self.device_id).values_list("tenant", flat=True).first()
