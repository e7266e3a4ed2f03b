"""A channel: how a tenant's people are told that something happened."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from iotpanel.tenants.models import InHistory, Tenant, TenantQuerySet


class Channel(InHistory, models.Model):
    """`settings` and `sealed` as a forwarder's. Messages that come within `group_wait` seconds of the first go as one, and after
    one was sent the next is sent no sooner than after `group_interval` seconds, with all that came meanwhile."""

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="channels", verbose_name=_("tenant"))
    name = models.CharField(_("name"), max_length=200)
    kind = models.CharField(_("kind"), max_length=32)
    enabled = models.BooleanField(_("enabled"), default=True)
    settings = models.JSONField(_("settings"), default=dict, blank=True)
    sealed = models.BinaryField(_("secrets"), default=b"", blank=True)
    title = models.TextField(_("title"), blank=True)
    text = models.TextField(_("text"), blank=True)
    group_wait = models.PositiveIntegerField(_("seconds to wait for others"), default=2)
    group_interval = models.PositiveIntegerField(_("seconds between messages"), default=60)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name = _("notification channel")
        verbose_name_plural = _("notification channels")
        ordering = ["name", "id"]
        constraints = [models.UniqueConstraint(fields=["tenant", "name"], name="channel_name_per_tenant")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return f"/channels/{self.pk}/"
