"""What a device signs in with. The secret is made by us and shown once; only the broker's hash line is kept."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from iotpanel.tenants.models import InHistory, TenantQuerySet

from .device import Device


class CredentialSet(TenantQuerySet):
    tenant_path = "device__tenant"


class Credential(InHistory, models.Model):
    """A device's user name is its key; at most one credential of a device is in force.

    `broker_hash` is Mosquitto's `$7$<iterations>$<salt>$<PBKDF2-HMAC-SHA512>`. One that was replaced may be
    accepted until `valid_until` where we check the secret ourselves (HTTP, webhook brokers).
    """

    device = models.ForeignKey(Device, models.CASCADE, related_name="credentials", verbose_name=_("device"))
    broker_hash = models.CharField(max_length=255, editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, editable=False)
    valid_until = models.DateTimeField(_("grace until"), null=True, editable=False)

    objects = CredentialSet.as_manager()

    class Meta:
        verbose_name = _("credential")
        verbose_name_plural = _("credentials")
        ordering = ["-created_at"]
        constraints = [models.UniqueConstraint(fields=["device"], condition=Q(revoked_at=None), name="one_credential_in_force")]

    def __str__(self) -> str:
        return f"{self.owner.key if self.owner else self.device_id}, {self.created_at:%Y-%m-%d %H:%M}"

    @property
    def owner(self) -> Device | None:
        """The device; None while both are being deleted and it went first."""
        return Device.objects.filter(pk=self.device_id).first()

    def history_tenant(self) -> int | None:
        return self.owner.tenant_id if self.owner else None
