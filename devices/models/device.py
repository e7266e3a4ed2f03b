"""A device: something that talks, by itself or through its gateway."""

from typing import Self

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _

from iotpanel.tenants.keys import validate_key
from iotpanel.tenants.models import InHistory, Tenant, TenantQuerySet

from .group import Group
from .product import Product


class DeviceSet(TenantQuerySet):
    def in_group(self, group: Group) -> Self:
        """The devices of a group and of the groups below it."""
        return self.filter(groups__in=Group.objects.subtree(group)).distinct()

    def online(self) -> Self:
        return self.filter(enabled=True, presence__online=True)

    def offline(self) -> Self:
        """Heard once, and silent or gone now."""
        return self.filter(enabled=True, presence__online=False, presence__last_seen__isnull=False)

    def never_seen(self) -> Self:
        return self.filter(enabled=True, presence__last_seen__isnull=True)


class Device(InHistory, models.Model):
    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="devices", verbose_name=_("tenant"))
    key = models.CharField(_("key"), max_length=64, unique=True, validators=[validate_key])
    name = models.CharField(_("name"), max_length=200)
    product = models.ForeignKey(Product, models.RESTRICT, related_name="devices", verbose_name=_("product"))
    parent = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="children", verbose_name=_("gateway"))
    groups = models.ManyToManyField(Group, blank=True, related_name="devices", verbose_name=_("groups"))
    labels = models.JSONField(_("labels"), default=dict, blank=True)
    latitude = models.FloatField(_("latitude (°)"), null=True, blank=True)
    longitude = models.FloatField(_("longitude (°)"), null=True, blank=True)
    enabled = models.BooleanField(_("enabled"), default=True)
    rate_limit = models.FloatField(_("limit (reports per second)"), null=True, blank=True, help_text=_("Empty: the product's; 0: none."))
    rate_burst = models.PositiveIntegerField(_("burst (reports)"), null=True, blank=True, help_text=_("Empty: ten seconds' worth."))
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    objects = DeviceSet.as_manager()

    class Meta:
        verbose_name = _("device")
        verbose_name_plural = _("devices")
        ordering = ["key"]
        indexes = [
            models.Index(fields=["tenant", "product"], name="device_by_product"),
            GinIndex(fields=["labels"], name="device_by_label", opclasses=["jsonb_path_ops"]),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return f"/devices/{self.key}/"
