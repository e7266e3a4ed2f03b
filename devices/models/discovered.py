"""Property names that devices of a product sent and its thing model does not know."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from iotpanel.tenants.models import TenantQuerySet

from .product import Product

MAX_DISCOVERED = 1_000


class DiscoveredSet(TenantQuerySet):
    tenant_path = "product__tenant"


class DiscoveredProperty(models.Model):
    """One name; at most MAX_DISCOVERED per product, so that a device gone mad can't fill the platform with names."""

    product = models.ForeignKey(Product, models.CASCADE, related_name="discovered", verbose_name=_("product"))
    key = models.CharField(_("key"), max_length=256)
    kind = models.CharField(
        _("kind"), max_length=12, choices=[("property", _("Property")), ("attribute", _("Attribute"))], default="property"
    )
    first_seen_at = models.DateTimeField(_("first seen at"), auto_now_add=True)

    objects = DiscoveredSet.as_manager()

    class Meta:
        db_table = "devices_discovered"
        verbose_name = _("discovered property")
        verbose_name_plural = _("discovered properties")
        ordering = ["key"]
        constraints = [models.UniqueConstraint(fields=["product", "kind", "key"], name="discovered_once")]

    def __str__(self) -> str:
        return self.key
