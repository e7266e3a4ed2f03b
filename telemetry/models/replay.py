"""A replay of many dead letters: which, how far it is, and what came of it."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from iotpanel.tenants.models import Tenant

from .run import Run, RunSet, RunState


class ReplaySet(RunSet):
    def light(self) -> "ReplaySet":
        """Without the letters' ids, which may be millions."""
        return self.defer("letters")


class ReplayRun(Run):
    """`letters` are ids in the order of their replay, emptied at the end; each step moves `done` in its transaction.

    `tenant` is null where a superuser replays letters of several tenants, or of nobody's devices: only superusers see those.
    """

    tenant = models.ForeignKey(Tenant, models.CASCADE, null=True, related_name="+", editable=False, verbose_name=_("tenant"))
    letters = ArrayField(models.BigIntegerField(), default=list, editable=False)
    total = models.BigIntegerField(_("dead letters"), default=0, editable=False)
    done = models.BigIntegerField(_("done"), default=0, editable=False)
    replayed = models.BigIntegerField(_("accepted"), default=0, editable=False)
    failed = models.BigIntegerField(_("refused again"), default=0, editable=False)

    objects = ReplaySet.as_manager()

    class Meta(Run.Meta):
        db_table = "telemetry_replay_run"
        verbose_name = _("replay of dead letters")
        verbose_name_plural = _("replays of dead letters")

    def __str__(self) -> str:
        return f"{self.created_at:%Y-%m-%d %H:%M}"

    @property
    def waiting(self) -> int:
        """How many it has not come to; those of a cancelled run wait for nothing."""
        return self.total - self.done if self.state == RunState.RUNNING else 0
