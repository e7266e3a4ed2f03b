"""An alarm: what a rule raised for a device, from the raising to the clearing, and all that happened in between."""

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from devices.models import Device, Group
from iotpanel.tenants.models import Tenant, TenantQuerySet

from .rule import Rule


class Severity(models.TextChoices):
    """The most severe first."""

    CRITICAL = "critical", _("critical")
    MAJOR = "major", _("major")
    MINOR = "minor", _("minor")
    WARNING = "warning", _("warning")
    INFO = "info", _("info")

    @property
    def rank(self) -> int:
        """0 is the most severe."""
        return list(Severity).index(self)


class AlarmSet(TenantQuerySet):
    def active(self) -> Self:
        return self.filter(active=True)

    def shelved(self) -> Self:
        return self.filter(shelved_until__gt=timezone.now())

    def open(self) -> Self:
        """Active, and not put on the shelf."""
        return self.active().exclude(shelved_until__gt=timezone.now())

    def of_group(self, group: Group) -> Self:
        """Those of the devices of a group and of the groups below it."""
        return self.filter(device__in=Device.objects.in_group(group).values("pk"))

    def of_gateway(self, gateway: Device) -> Self:
        """Those of a device, and of all that speak through it."""
        return self.filter(Q(device=gateway) | Q(device__parent=gateway) | Q(device__parent__parent=gateway))


class Alarm(models.Model):
    """At most one active one per rule and device. Acknowledging and clearing know nothing of each other.

    `rule_name` outlives the rule. `level` counts the escalations, and the next one is due at `escalates_at`. No
    constraint binds it to its rule and device, for the reason that `RuleState` gives.
    """

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="alarms", verbose_name=_("tenant"))
    rule = models.ForeignKey(Rule, models.SET_NULL, null=True, db_constraint=False, related_name="alarms", verbose_name=_("rule"))
    rule_name = models.CharField(_("rule"), max_length=200)
    device = models.ForeignKey(Device, models.CASCADE, db_constraint=False, related_name="alarms", verbose_name=_("device"))
    severity = models.CharField(_("severity"), max_length=8, choices=Severity.choices, default=Severity.WARNING)
    message = models.TextField(_("message"), blank=True)
    value = models.JSONField(_("value"), null=True)
    active = models.BooleanField(_("active"), default=True)
    raised_at = models.DateTimeField(_("raised at"))
    cleared_at = models.DateTimeField(_("cleared at"), null=True)
    acknowledged_at = models.DateTimeField(_("acknowledged at"), null=True)
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("acknowledged by")
    )
    assigned_to = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("assigned to"))
    shelved_until = models.DateTimeField(_("shelved until"), null=True)
    level = models.PositiveSmallIntegerField(_("escalations"), default=0)
    escalates_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(_("created at"), default=timezone.now)

    objects = AlarmSet.as_manager()

    class Meta:
        verbose_name = _("alarm")
        verbose_name_plural = _("alarms")
        ordering = ["-raised_at", "-id"]
        constraints = [models.UniqueConstraint(fields=["rule", "device"], condition=Q(active=True), name="one_active_alarm")]
        indexes = [
            models.Index(fields=["tenant", "-raised_at"], name="alarm_by_time"),
            models.Index(fields=["tenant", "severity"], condition=Q(active=True), name="alarm_active"),
            models.Index(fields=["device", "-raised_at"], name="alarm_by_device"),
            models.Index(fields=["escalates_at"], condition=Q(escalates_at__isnull=False), name="alarm_escalates"),
        ]

    def __str__(self) -> str:
        return self.message or self.rule_name

    def get_absolute_url(self) -> str:
        return f"/alarms/{self.pk}/"

    @property
    def acknowledged(self) -> bool:
        return self.acknowledged_at is not None

    @property
    def is_shelved(self) -> bool:
        return self.shelved_until is not None and self.shelved_until > timezone.now()


class AlarmEvent(models.Model):
    """One thing that happened to an alarm, who did it where it was a person, and their words."""

    class Kind(models.TextChoices):
        RAISED = "raised", _("raised")
        ESCALATED = "escalated", _("escalated")
        ACKNOWLEDGED = "acknowledged", _("acknowledged")
        CLEARED = "cleared", _("cleared")
        ASSIGNED = "assigned", _("assigned")
        COMMENTED = "commented", _("commented")
        SHELVED = "shelved", _("shelved")
        UNSHELVED = "unshelved", _("taken off the shelf")

    alarm = models.ForeignKey(Alarm, models.CASCADE, related_name="events")
    at = models.DateTimeField(_("at"))
    kind = models.CharField(_("kind"), max_length=16, choices=Kind.choices)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", verbose_name=_("person"))
    text = models.TextField(_("text"), blank=True)
    data = models.JSONField(default=dict)

    class Meta:
        verbose_name = _("event of an alarm")
        verbose_name_plural = _("events of alarms")
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.kind} {self.alarm_id}"
