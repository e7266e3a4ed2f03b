"""Whether a device is there. A table of its own, because it is written all the time and the device is not."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from iotpanel.tenants.models import TenantQuerySet

from .device import Device


class PresenceSet(TenantQuerySet):
    tenant_path = "device__tenant"


class DevicePresence(models.Model):
    """One row per device that was ever heard or expected; `changed_at` is when `online` last changed."""

    device = models.OneToOneField(Device, models.CASCADE, primary_key=True, related_name="presence")
    online = models.BooleanField(_("online"), default=False)
    last_seen = models.DateTimeField(_("last seen"), null=True)
    changed_at = models.DateTimeField(_("changed at"), null=True)
    cause = models.CharField(_("cause"), max_length=16, blank=True)
    clock_offset = models.FloatField(_("clock offset (s)"), null=True, help_text=_("The device's clock minus ours."))

    objects = PresenceSet.as_manager()

    class Meta:
        verbose_name = _("presence")
        verbose_name_plural = _("presences")

    def __str__(self) -> str:
        return f"{self.device_id} {'online' if self.online else 'offline'}"
