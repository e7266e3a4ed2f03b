"""A message to the people of a tenant on the pages themselves."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from iotpanel.tenants.models import Tenant, TenantQuerySet


class Notice(models.Model):
    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="+", verbose_name=_("tenant"))
    channel_id = models.BigIntegerField(_("channel"))
    at = models.DateTimeField(_("time"), auto_now_add=True)
    title = models.CharField(_("title"), max_length=300)
    text = models.TextField(_("text"), blank=True)
    read_at = models.DateTimeField(_("read at"), null=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        ordering = ["-id"]
        indexes = [models.Index(fields=["tenant", "-id"], name="notice_newest")]

    def __str__(self) -> str:
        return self.title


class NoticeMark(models.Model):
    """Up to which notice a person has seen those of a tenant."""

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="+", verbose_name=_("tenant"))
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("person"))
    seen = models.BigIntegerField(_("seen"), default=0)

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name = _("mark of what was seen")
        verbose_name_plural = _("marks of what was seen")
        constraints = [models.UniqueConstraint(fields=["tenant", "person"], name="one_mark_per_person")]

    def __str__(self) -> str:
        return f"{self.person_id} {self.seen}"
