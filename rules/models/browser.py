"""A browser of a person that asked to be told by push."""

from typing import Self

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from iotpanel.tenants.models import User


class BrowserSet(models.QuerySet["Browser"]):
    def for_user(self, user: User) -> Self:
        """One's own; a superuser has no more."""
        return self.filter(person=user)

    def told_by(self, tenant_id: int) -> Self:
        """Those whose person is in the tenant now and may sign in: who left is told nothing any more."""
        return self.filter(person__is_active=True, person__memberships__tenant_id=tenant_id)


class Browser(models.Model):
    """A subscription as the browser made it. `endpoint` is where its push service takes messages, known by `digest` (SHA-256).

    Its keys (URL-safe base64) are the browser's: whoever reads them can neither send without our own key nor read what was sent.
    """

    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="browsers", verbose_name=_("person"))
    endpoint = models.TextField(_("endpoint"))
    digest = models.CharField(_("digest"), max_length=64, unique=True)
    p256dh = models.CharField(_("public key"), max_length=100)
    auth = models.CharField(_("secret"), max_length=40)
    name = models.CharField(_("name"), max_length=100)
    language = models.CharField(_("language"), max_length=16, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    used_at = models.DateTimeField(_("last used"), null=True)

    objects = BrowserSet.as_manager()

    class Meta:
        verbose_name = _("browser told by push")
        verbose_name_plural = _("browsers told by push")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.person}, {self.name}"
