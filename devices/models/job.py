"""A job: one thing done to many devices, in waves, and stopped where too much of it fails."""

from typing import Self

from django.apps import apps
from django.db import models
from django.db.models import OuterRef, Subquery
from django.utils.translation import gettext_lazy as _

from iotpanel.tenants.models import InHistory, Tenant, TenantQuerySet, User

from .device import Device


class JobState(models.TextChoices):
    RUNNING = "running", _("Running")
    PAUSED = "paused", _("Paused")
    FINISHED = "finished", _("Finished")
    ABORTED = "aborted", _("Aborted")


class TargetState(models.TextChoices):
    PENDING = "pending", _("Not started")
    WORKING = "working", _("Under way")
    SUCCEEDED = "succeeded", _("Succeeded")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


class JobSet(TenantQuerySet):
    def unfinished(self) -> Self:
        return self.filter(state__in=[JobState.RUNNING, JobState.PAUSED])


class Job(InHistory, models.Model):
    """`spec` belongs to the kind, `target` says which devices were chosen, `rollout` how it goes on (devices/jobs/rollout.py).

    `wave` is the last one that is open, from 0, which is the canary. `reason` says why it is paused or aborted.
    """

    tenant = models.ForeignKey(Tenant, models.CASCADE, related_name="jobs", verbose_name=_("tenant"))
    name = models.CharField(_("name"), max_length=200)
    kind = models.CharField(_("kind"), max_length=32)
    spec = models.JSONField(_("what is done"), default=dict)
    target = models.JSONField(_("devices"), default=dict)
    rollout = models.JSONField(_("rollout"), default=dict)
    state = models.CharField(_("state"), max_length=10, choices=JobState.choices, default=JobState.RUNNING)
    reason = models.CharField(_("reason"), max_length=32, blank=True)
    wave = models.PositiveIntegerField(_("wave"), default=0)
    waves = models.PositiveIntegerField(_("waves"), default=1)
    person = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+", verbose_name=_("started by"))
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    starts_at = models.DateTimeField(_("starts at"), null=True)
    finished_at = models.DateTimeField(_("finished at"), null=True)

    objects = JobSet.as_manager()

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        ordering = ["-id"]
        indexes = [models.Index(fields=["id"], condition=models.Q(state__in=["running", "paused"]), name="job_unfinished")]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return f"/jobs/{self.pk}/"


class TargetSet(TenantQuerySet):
    tenant_path = "job__tenant"

    def with_steps(self) -> Self:
        """With the errand's state as `step`, and its `progress`."""
        errands = apps.get_model("devices", "Errand").objects.filter(target=OuterRef("pk"))
        return self.annotate(step=Subquery(errands.values("state")[:1]), progress=Subquery(errands.values("progress")[:1]))


class JobTarget(models.Model):
    """One device of a job. `command` is the id of the command that does it, where the job's kind works by commands."""

    job = models.ForeignKey(Job, models.CASCADE, related_name="targets", db_index=False)
    device = models.ForeignKey(Device, models.CASCADE, related_name="jobs")
    wave = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=TargetState.choices, default=TargetState.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    command = models.BigIntegerField(null=True)
    reason = models.CharField(max_length=32, blank=True)
    error = models.TextField(blank=True)
    due_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = TargetSet.as_manager()

    class Meta:
        verbose_name = _("device of a job")
        verbose_name_plural = _("devices of jobs")
        constraints = [models.UniqueConstraint(fields=["job", "device"], name="device_once_per_job")]
        indexes = [
            models.Index(fields=["job", "state", "wave"], name="job_target_state"),
            models.Index(fields=["command"], condition=models.Q(state="working"), name="job_target_command"),
        ]

    def __str__(self) -> str:
        return f"{self.job_id}: {self.device_id}"
