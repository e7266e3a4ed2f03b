"""Firmware: an image of a product's version, and the version that each device says it runs."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from iotpanel.tenants.models import InHistory, Tenant, TenantQuerySet, User

from .device import Device
from .product import Product


class Firmware(InHistory, models.Model):
    """The image is a file called `file` (devices/firmware/files.py). `signature` is base64, over the image's SHA-256."""

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="firmware", verbose_name=_("tenant"))
    product = models.ForeignKey(Product, models.CASCADE, related_name="firmware", verbose_name=_("product"))
    version = models.CharField(_("version"), max_length=64)
    size = models.BigIntegerField(_("size (bytes)"))
    sha256 = models.CharField("SHA-256", max_length=64)
    signature = models.CharField(_("signature"), max_length=100, blank=True)
    notes = models.TextField(_("notes"), blank=True)
    file = models.CharField(max_length=64, editable=False)
    person = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+", verbose_name=_("uploaded by"))
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name = _("firmware package")
        verbose_name_plural = _("firmware packages")
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["product", "version"], name="firmware_version_per_product")]

    def __str__(self) -> str:
        return self.version

    def get_absolute_url(self) -> str:
        return f"/products/{self.product.key}/firmware/"


class RunningSet(TenantQuerySet):
    tenant_path = "device__tenant"


class RunningFirmware(models.Model):
    """What a device says that it runs: `since` when it first said so, `at` when it last did."""

    device = models.OneToOneField(Device, models.CASCADE, primary_key=True, related_name="running", verbose_name=_("device"))
    version = models.CharField(_("version"), max_length=64)
    before = models.CharField(_("version before"), max_length=64, blank=True)
    since = models.DateTimeField(_("since"))
    at = models.DateTimeField(_("at"))

    objects = RunningSet.as_manager()

    class Meta:
        verbose_name = _("running firmware")
        verbose_name_plural = _("running firmware")
        indexes = [models.Index(fields=["version"], name="running_by_version")]

    def __str__(self) -> str:
        return f"{self.device_id} {self.version}"
