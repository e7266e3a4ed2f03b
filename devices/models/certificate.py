"""Client certificates that our own authority made for devices. The private keys are not here: devices keep them."""

from datetime import timedelta
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from iotpanel.tenants.models import InHistory, TenantQuerySet

from .device import Device

SOON = timedelta(days=30)


class CertificateSet(TenantQuerySet):
    tenant_path = "device__tenant"

    def in_force(self) -> Self:
        """Those that open the door now."""
        return self.filter(revoked_at=None, device__enabled=True, not_after__gt=timezone.now())

    def refused(self) -> Self:
        """Those that would open it and must not: revoked, of disabled devices, and of devices that are gone."""
        bad = Q(revoked_at__isnull=False) | Q(device=None) | Q(device__enabled=False)
        return self.filter(bad, not_after__gt=timezone.now())

    def ending(self) -> Self:
        """In force and ending soon, and no later one of the device is there to take over."""
        later = DeviceCertificate.objects.in_force().filter(device=models.OuterRef("device"), not_after__gt=timezone.now() + SOON)
        return self.in_force().filter(~models.Exists(later), not_after__lte=timezone.now() + SOON)


class DeviceCertificate(InHistory, models.Model):
    """One certificate. It outlives its device, because the list of the revoked has to name it until it ends.

    `key` is its common name, `serial` its serial number and `fingerprint` its SHA-256, both in hexadecimal digits.
    """

    device = models.ForeignKey(Device, models.SET_NULL, null=True, related_name="certificates", verbose_name=_("device"))
    key = models.CharField(_("common name"), max_length=64, editable=False)
    serial = models.CharField(_("serial number"), max_length=40, unique=True, editable=False)
    fingerprint = models.CharField(_("SHA-256 fingerprint"), max_length=64, unique=True, editable=False)
    key_kind = models.CharField(_("kind of key"), max_length=20, editable=False)
    not_before = models.DateTimeField(_("valid from"), editable=False)
    not_after = models.DateTimeField(_("valid until"), editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, editable=False)

    objects = CertificateSet.as_manager()

    class Meta:
        verbose_name = _("device certificate")
        verbose_name_plural = _("device certificates")
        ordering = ["-id"]
        indexes = [models.Index(fields=["not_after"], name="certificate_by_end")]

    def __str__(self) -> str:
        return f"{self.key}, {self.serial[:16]}"

    def history_tenant(self) -> int | None:
        return Device.objects.filter(pk=self.device_id).values_list("tenant", flat=True).first() if self.device_id else None

    @property
    def state(self) -> str:
        """active, ending, ended or revoked."""
        now = timezone.now()
        if self.revoked_at is not None:
            return "revoked"
        if self.not_after <= now:
            return "ended"
        return "ending" if self.not_after <= now + SOON else "active"
