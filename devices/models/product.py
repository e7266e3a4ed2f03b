"""A product: a kind of device, with its thing model, codec, topics and policies."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from iotpanel.tenants.keys import validate_key
from iotpanel.tenants.models import InHistory, Tenant, TenantQuerySet


class CodecKind(models.TextChoices):
    JSON = "json", "JSON"
    LUA = "lua", "Lua"


class UnknownProperties(models.TextChoices):
    ACCEPT = "accept", _("Accept")
    REJECT = "reject", _("Reject")


class Product(InHistory, models.Model):
    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="products", verbose_name=_("tenant"))
    key = models.CharField(_("key"), max_length=64, validators=[validate_key])
    name = models.CharField(_("name"), max_length=200)
    description = models.TextField(_("description"), blank=True)
    thing_model = models.JSONField(_("thing model"), default=dict, blank=True)
    codec_kind = models.CharField(_("codec"), max_length=16, choices=CodecKind.choices, default=CodecKind.JSON)
    codec_script = models.TextField(_("script"), blank=True)
    codec_samples = models.JSONField(_("samples"), default=list, blank=True)
    offline_after = models.PositiveIntegerField(
        _("offline after (s)"), default=600, help_text=_("Seconds of silence; 0: never by silence.")
    )
    unknown_properties = models.CharField(
        _("unknown properties"), max_length=8, choices=UnknownProperties.choices, default=UnknownProperties.ACCEPT
    )
    topics = models.JSONField(_("topics of its own"), default=list, blank=True)
    register_children = models.BooleanField(_("register children"), default=False)
    child_product = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("product of children")
    )
    command_window = models.PositiveSmallIntegerField(
        _("commands at once"), default=1, help_text=_("How many commands of a device may wait for a reply at a time.")
    )
    retention_days = models.PositiveIntegerField(
        _("keep readings (days)"), null=True, blank=True, help_text=_("Empty: the platform's ceiling.")
    )
    archive_days = models.PositiveSmallIntegerField(
        _("archive messages (days)"), null=True, blank=True, help_text=_("As received, to decode them again. Empty: none.")
    )
    rollup_retention = models.JSONField(_("keep rollups (days)"), default=dict, blank=True)
    rate_limit = models.FloatField(
        _("limit of each device (reports per second)"), null=True, blank=True, help_text=_("Empty: the platform's; 0: none.")
    )
    rate_burst = models.PositiveIntegerField(_("burst (reports)"), null=True, blank=True, help_text=_("Empty: ten seconds' worth."))
    firmware_key = models.CharField(
        _("firmware key"), max_length=64, blank=True, help_text=_("Ed25519 public key. With it every package must be signed.")
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")
        ordering = ["name", "id"]
        constraints = [models.UniqueConstraint(fields=["tenant", "key"], name="product_key_per_tenant")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return f"/products/{self.key}/"
