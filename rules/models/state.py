"""What a rule knows of a device: whether it holds, since when, and when it has to be looked at again."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from .rule import Rule


class RuleState(models.Model):
    """One row per rule and device, from the first time that there is something to remember.

    Instants are µs of the device's clock, but for `due_at`, which is ours. `skew` is our clock minus the device's when
    it was set. Whoever writes must have seen the row's `version`. No constraint binds it to its rule and device: a
    batch may write it while another transaction deletes them.
    """

    rule = models.ForeignKey(Rule, models.CASCADE, db_constraint=False, related_name="states")
    device = models.ForeignKey("devices.Device", models.CASCADE, db_constraint=False, related_name="+")
    phase = models.SmallIntegerField(default=0)
    since = models.BigIntegerField(default=0)
    off_since = models.BigIntegerField(default=0)
    fired_at = models.BigIntegerField(default=0)
    due_at = models.DateTimeField(null=True)
    skew = models.BigIntegerField(default=0)
    version = models.BigIntegerField(default=1)

    class Meta:
        verbose_name = _("state of a rule")
        verbose_name_plural = _("states of rules")
        constraints = [models.UniqueConstraint(fields=["rule", "device"], name="state_per_rule_and_device")]
        indexes = [models.Index(fields=["due_at"], condition=models.Q(due_at__isnull=False), name="state_due")]

    def __str__(self) -> str:
        return f"{self.rule_id}/{self.device_id}"
