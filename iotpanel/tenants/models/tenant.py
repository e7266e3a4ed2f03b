"""A tenant: the wall that nothing passes. Every other object belongs to exactly one."""

from typing import TYPE_CHECKING, Self

from django.db import models
from django.utils.translation import gettext_lazy as _

from iotpanel.tenants.keys import validate_key

from .history import InHistory

if TYPE_CHECKING:
    from .user import User


class TenantSet(models.QuerySet["Tenant"]):
    def for_user(self, user: "User") -> Self:
        """The tenants that this person may work in; a superuser in all of them."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        if user.is_superuser:
            return self.all()
        return self.filter(memberships__user=user)


class Tenant(InHistory, models.Model):
    key = models.CharField(_("key"), max_length=64, unique=True, validators=[validate_key])
    name = models.CharField(_("name"), max_length=200)
    rate_limit = models.FloatField(
        _("limit (reports per second)"), null=True, blank=True, help_text=_("All devices together. Empty: the platform's; 0: none.")
    )
    rate_burst = models.PositiveIntegerField(_("burst (reports)"), null=True, blank=True, help_text=_("Empty: ten seconds' worth."))
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    objects = TenantSet.as_manager()

    class Meta:
        verbose_name = _("tenant")
        verbose_name_plural = _("tenants")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def history_tenant(self) -> int:
        return self.pk
