"""A replay of many dead letters: which, how far it is, and what came of it."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from iotpanel.tenants.models import Tenant, TenantQuerySet

from .reprocess import RunState


class ReplaySet(TenantQuerySet):
    def unfinished(self) -> "ReplaySet":
        return self.filter(state=RunState.RUNNING)

    def light(self) -> "ReplaySet":
        """Without the letters' ids, which may be millions."""
        return self.defer("letters")


class ReplayRun(models.Model):
    """`letters` are ids in the order of their replay, emptied at the end; each step moves `done` in its transaction.

    `tenant` is null where a superuser replays letters of several tenants, or of nobody's devices: only superusers see those.
    """

    tenant = models.ForeignKey(Tenant, models.CASCADE, null=True, related_name="+", editable=False, verbose_name=_("tenant"))
    letters = ArrayField(models.BigIntegerField(), default=list, editable=False)
    total = models.BigIntegerField(_("dead letters"), default=0, editable=False)
    done = models.BigIntegerField(_("done"), default=0, editable=False)
    replayed = models.BigIntegerField(_("accepted"), default=0, editable=False)
    failed = models.BigIntegerField(_("refused again"), default=0, editable=False)
    state = models.CharField(_("state"), max_length=12, choices=RunState.choices, default=RunState.RUNNING, editable=False)
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", editable=False)
    created_at = models.DateTimeField(_("started at"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, editable=False)

    objects = ReplaySet.as_manager()

    class Meta:
        db_table = "telemetry_replay_run"
        verbose_name = _("replay of dead letters")
        verbose_name_plural = _("replays of dead letters")
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return f"{self.created_at:%Y-%m-%d %H:%M}"

    @property
    def waiting(self) -> int:
        """How many it has not come to; those of a cancelled run wait for nothing."""
        return self.total - self.done if self.state == RunState.RUNNING else 0
