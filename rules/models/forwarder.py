"""A forwarder: where a tenant's data are sent on to, which of them, and in what shape."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from iotpanel.tenants.models import InHistory, Tenant, TenantQuerySet


class Stream(models.TextChoices):
    NONE = "", _("only what rules send")
    READINGS = "readings", _("readings")
    EVENTS = "events", _("events")
    ALARMS = "alarms", _("alarms")
    PRESENCE = "presence", _("presence")


class Forwarder(InHistory, models.Model):
    """`settings` are those that may be shown, `sealed` the secret ones, encrypted. An empty `template` is the default shape."""

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="forwarders", verbose_name=_("tenant"))
    name = models.CharField(_("name"), max_length=200)
    kind = models.CharField(_("kind"), max_length=32)
    enabled = models.BooleanField(_("enabled"), default=True)
    settings = models.JSONField(_("settings"), default=dict, blank=True)
    sealed = models.BinaryField(_("secrets"), default=b"", blank=True)
    stream = models.CharField(_("stream"), max_length=16, choices=Stream.choices, default=Stream.READINGS, blank=True)
    scope = models.JSONField(_("scope"), default=dict, blank=True)
    template = models.TextField(_("template"), blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name = _("forwarder")
        verbose_name_plural = _("forwarders")
        ordering = ["name", "id"]
        constraints = [models.UniqueConstraint(fields=["tenant", "name"], name="forwarder_name_per_tenant")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return f"/forwarders/{self.pk}/"
