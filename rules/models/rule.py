"""A rule: when something is so, do something about it."""

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from iotpanel.tenants.models import InHistory, Tenant, TenantQuerySet
from rules.stops import stopped


class RuleSet(TenantQuerySet):
    def running(self) -> Self:
        return self.filter(enabled=True)


class Rule(InHistory, models.Model):
    """`body` is what a person wrote, by the published schema (`rules/schema.py`), without name and switch.

    `version` grows with every change: what was compiled of an older one is thrown away. A rule that failed too often
    is switched off; `disabled_reason` says why as a code, which `disabled_about` fills (`rules/stops.py`). `trigger` is
    the body's kind of trigger, to find rules by.
    """

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="rules", verbose_name=_("tenant"))
    name = models.CharField(_("name"), max_length=200)
    enabled = models.BooleanField(_("enabled"), default=True)
    body = models.JSONField(_("body"), default=dict)
    trigger = models.CharField(max_length=16, default="readings", editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    failures = models.PositiveIntegerField(_("failures of late"), default=0, editable=False)
    failed_at = models.DateTimeField(_("failed at"), null=True, editable=False)
    last_error = models.TextField(_("last error"), blank=True, editable=False)
    disabled_reason = models.TextField(_("switched off because"), blank=True, editable=False)
    disabled_about = models.JSONField(default=dict, editable=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, related_name="+")
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    objects = RuleSet.as_manager()

    class Meta:
        verbose_name = _("rule")
        verbose_name_plural = _("rules")
        ordering = ["name", "id"]
        indexes = [models.Index(fields=["tenant"], condition=models.Q(enabled=True, trigger="command"), name="rule_on_commands")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return f"/rules/{self.pk}/"

    @property
    def stopped_because(self) -> str:
        """`disabled_reason` in the reader's language; empty where the platform has not switched it off."""
        return stopped(self.disabled_reason, self.disabled_about)

    @property
    def scope(self) -> dict[str, Any]:
        return dict(self.body.get("scope") or {})
