"""What rules have to do at a time of its own: the next run of a schedule, the next step of a scene."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from .rule import Rule


class Schedule(models.Model):
    """When a rule with a schedule runs next."""

    rule = models.OneToOneField(Rule, models.CASCADE, primary_key=True, related_name="schedule")
    due_at = models.DateTimeField(_("due at"), db_index=True)

    class Meta:
        verbose_name = _("schedule")
        verbose_name_plural = _("schedules")

    def __str__(self) -> str:
        return f"{self.rule_id} {self.due_at:%F %T}"


class SceneRun(models.Model):
    """A scene under way: the steps that are left, and the firings that they are about. `rule` may be gone already."""

    rule = models.ForeignKey(Rule, models.CASCADE, db_constraint=False, related_name="+")
    steps = models.JSONField()
    firings = models.JSONField()
    due_at = models.DateTimeField(_("due at"), db_index=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("scene under way")
        verbose_name_plural = _("scenes under way")

    def __str__(self) -> str:
        return f"{self.rule_id} {self.due_at:%F %T}"
