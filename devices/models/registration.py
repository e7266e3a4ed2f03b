"""How devices of a product register themselves: the product's policy, and what is known of each serial number."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from iotpanel.tenants.models import InHistory, TenantQuerySet

from .device import Device
from .product import Product


class RegistrationMode(models.TextChoices):
    CLOSED = "closed", _("Closed")
    LISTED = "listed", _("Serial numbers of the list")
    OPEN = "open", _("Any serial number")


class SerialState(models.TextChoices):
    LISTED = "listed", _("Listed")
    PENDING = "pending", _("Waits for approval")
    APPROVED = "approved", _("Approved")
    DENIED = "denied", _("Denied")
    REGISTERED = "registered", _("Registered")


class OfProduct(TenantQuerySet):
    tenant_path = "product__tenant"


class RegistrationPolicy(InHistory, models.Model):
    """One for each product that was ever opened; none means closed. Of the secret only a hash line is kept.

    Where there is an `authority` (certificates in PEM), a device may also show a certificate of the factory; `common_name` says
    where in its name the serial number stands.
    """

    product = models.OneToOneField(Product, models.CASCADE, related_name="registration", verbose_name=_("product"))
    mode = models.CharField(_("who may register"), max_length=8, choices=RegistrationMode.choices, default=RegistrationMode.CLOSED)
    approval = models.BooleanField(_("needs approval"), default=False)
    key_template = models.CharField(_("device key"), max_length=64, default="{serial}")
    max_devices = models.PositiveIntegerField(_("at most"), default=1000)
    authority = models.TextField(_("authorities of the factory"), blank=True, default="")
    common_name = models.CharField(_("common name"), max_length=128, default="{serial}")
    secret_hash = models.CharField(max_length=255, blank=True, editable=False)
    secret_made_at = models.DateTimeField(_("secret made at"), null=True, editable=False)

    objects = OfProduct.as_manager()

    class Meta:
        verbose_name = _("registration policy")
        verbose_name_plural = _("registration policies")
        ordering = ["product"]

    def __str__(self) -> str:
        return f"{self.product}"

    def history_tenant(self) -> int | None:
        return self.product.tenant_id


class Serial(InHistory, models.Model):
    """A serial number of a product: on the list, waiting, decided, or registered as a device."""

    product = models.ForeignKey(Product, models.CASCADE, related_name="serials", verbose_name=_("product"))
    serial = models.CharField(_("serial number"), max_length=64)
    state = models.CharField(_("state"), max_length=12, choices=SerialState.choices, default=SerialState.LISTED)
    device = models.ForeignKey(Device, models.SET_NULL, null=True, editable=False, related_name="serials", verbose_name=_("device"))
    address = models.GenericIPAddressField(_("asked from"), null=True, editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    asked_at = models.DateTimeField(_("asked at"), null=True, editable=False)
    decided_at = models.DateTimeField(_("decided at"), null=True, editable=False)
    registered_at = models.DateTimeField(_("registered at"), null=True, editable=False)

    objects = OfProduct.as_manager()

    class Meta:
        verbose_name = _("serial number")
        verbose_name_plural = _("serial numbers")
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["product", "serial"], name="serial_once_per_product")]
        indexes = [models.Index(fields=["product", "state"], name="serial_by_state")]

    def __str__(self) -> str:
        return self.serial

    def history_tenant(self) -> int | None:
        return self.product.tenant_id
