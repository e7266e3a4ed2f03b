"""What changes rarely: reported by the device, or set on the server, shared with the device or not."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Scope(models.TextChoices):
    REPORTED = "reported", _("Reported")
    SERVER = "server", _("Server")
    SHARED = "shared", _("Shared")


class Attribute(models.Model):
    device = models.ForeignKey("devices.Device", models.CASCADE, related_name="attributes")
    scope = models.CharField(_("scope"), max_length=8, choices=Scope.choices, default=Scope.REPORTED)
    key = models.CharField(_("key"), max_length=64)
    value = models.JSONField(_("value"))
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("attribute")
        verbose_name_plural = _("attributes")
        ordering = ["key"]
        constraints = [models.UniqueConstraint(fields=["device", "scope", "key"], name="attribute_per_device_and_scope")]
