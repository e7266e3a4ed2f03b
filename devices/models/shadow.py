"""A device's shadow: how it should be, how it says it is, and every change of either."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from iotpanel.tenants.models import TenantQuerySet, User

from .device import Device


class ShadowSet(TenantQuerySet):
    tenant_path = "device__tenant"


class Shadow(models.Model):
    """`delta` is what of `desired` is not reported. `wanted` is what the device is to be sent as soon as it is there:
    the row is its own outbox. `answered` is the version that the device's newest report answered.
    """

    class Wanted(models.TextChoices):
        NOTHING = "", _("nothing")
        DELTA = "delta", _("the difference")
        WHOLE = "whole", _("the whole shadow")

    device = models.OneToOneField(Device, models.CASCADE, primary_key=True, related_name="shadow", verbose_name=_("device"))
    desired = models.JSONField(_("desired"), default=dict)
    reported = models.JSONField(_("reported"), default=dict)
    shared = models.JSONField(_("shared attributes"), default=dict)
    delta = models.JSONField(_("difference"), default=dict)
    version = models.BigIntegerField(_("version"), default=0)
    answered = models.BigIntegerField(default=0)
    wanted = models.CharField(max_length=8, choices=Wanted.choices, blank=True)
    changed_at = models.DateTimeField(_("changed at"), null=True)
    sent_at = models.DateTimeField(_("sent at"), null=True)

    objects = ShadowSet.as_manager()

    class Meta:
        verbose_name = _("shadow")
        verbose_name_plural = _("shadows")
        indexes = [models.Index(fields=["device"], condition=~Q(wanted=""), name="shadow_wanted")]

    def __str__(self) -> str:
        return f"{self.device.key if Shadow.device.is_cached(self) else self.device_id} {self.version}"


class ShadowStep(models.Model):
    """One change: `patch` was merged into `part`, which gave `version`. Now and then a step keeps the whole state."""

    device = models.ForeignKey(Device, models.CASCADE, related_name="shadow_steps", db_index=False)
    version = models.BigIntegerField()
    at = models.DateTimeField()
    part = models.CharField(max_length=8)
    patch = models.JSONField()
    whole = models.JSONField(null=True)
    person = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")

    objects = ShadowSet.as_manager()

    class Meta:
        verbose_name = _("change of a shadow")
        verbose_name_plural = _("changes of shadows")
        ordering = ["-version"]
        constraints = [models.UniqueConstraint(fields=["device", "version"], name="shadow_step_once")]
        indexes = [models.Index(fields=["device", "at"], name="shadow_step_by_time")]

    def __str__(self) -> str:
        return f"{self.device_id} {self.version}"
