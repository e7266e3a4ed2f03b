"""Claim codes: who holds the code of a device that was prepared may take it into use."""

from typing import Self

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from iotpanel.tenants.models import InHistory, TenantQuerySet, User

from .device import Device


class ClaimSet(TenantQuerySet):
    tenant_path = "device__tenant"

    def in_state(self, state: str) -> Self:
        """Those that are `waiting`, `claimed` or `expired`."""
        if state == "claimed":
            return self.exclude(claimed_at=None)
        until = {"expires_at__gt" if state == "waiting" else "expires_at__lte": timezone.now()}
        return self.filter(claimed_at=None, **until)


class Claim(InHistory, models.Model):
    """One code of one device. Only its digest is kept; `transferable`: also people of other tenants may claim the device.

    `claimed_by` is nobody where an API key did.
    """

    device = models.OneToOneField(Device, models.CASCADE, related_name="claim", verbose_name=_("device"))
    digest = models.CharField(max_length=64, unique=True, editable=False)
    transferable = models.BooleanField(_("by any tenant"), default=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires at"))
    claimed_at = models.DateTimeField(_("claimed at"), null=True, editable=False)
    claimed_by = models.ForeignKey(User, models.SET_NULL, null=True, editable=False, related_name="+", verbose_name=_("claimed by"))

    objects = ClaimSet.as_manager()

    class Meta:
        verbose_name = _("claim code")
        verbose_name_plural = _("claim codes")
        ordering = ["-created_at"]

    def __str__(self) -> str:
        """The device's key where it is at hand: the history asks while devices are being deleted, too."""
        return self.device.key if Claim.device.is_cached(self) else str(self.device_id)

    def history_tenant(self) -> int | None:
        return Device.objects.filter(pk=self.device_id).values_list("tenant", flat=True).first()

    @property
    def state(self) -> str:
        """waiting, claimed or expired."""
        if self.claimed_at is not None:
            return "claimed"
        return "waiting" if self.expires_at > timezone.now() else "expired"
