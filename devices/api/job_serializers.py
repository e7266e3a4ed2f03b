"""How jobs look on the wire. The verbs check what they mean; here only the shape is."""

from typing import Any

from rest_framework import serializers

from devices.jobs import KINDS, verbs
from devices.models import Job, JobState, TargetState
from iotpanel.api.fields import ObjectField


class NewJob(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=200)
    kind = serializers.CharField(max_length=32, help_text=f"One of: {', '.join(KINDS)}.")
    spec = ObjectField(help_text="By `kind`; docs/api.md says what each takes.")
    target = ObjectField(help_text="All must fit: `product`, `group`, `labels`, `devices`, `search`, `job`.")
    rollout = ObjectField(
        required=False,
        help_text="`canary_percent`, `canary_confirm`, `wave_percent`, `parallel`, `abort_percent`, `abort_after`, `retries`, "
        "`retry_after`, `wait_offline`, `windows`, `timezone`.",
    )
    starts_at = serializers.DateTimeField(required=False, allow_null=True)


class JobSerializer(NewJob):
    id = serializers.IntegerField()
    state = serializers.ChoiceField(JobState.choices)
    reason = serializers.CharField(allow_blank=True, help_text="Why it is paused or aborted.")
    wave = serializers.IntegerField(help_text="The last open one, from 0.")
    waves = serializers.IntegerField()
    counts = serializers.SerializerMethodField()
    steps = serializers.SerializerMethodField()
    started_by = serializers.CharField(source="person.username", default=None, allow_null=True)
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)

    def get_counts(self, job: Job) -> dict[str, int]:
        """Devices by state."""
        return verbs.counts(job)

    def get_steps(self, job: Job) -> dict[str, int]:
        """Devices under way by their step, where the kind knows steps: `sent`, `downloading`, ..."""
        return KINDS[job.kind]().steps(job) if job.kind in KINDS else {}


class JobQuery(serializers.Serializer[Any]):
    state = serializers.ChoiceField(JobState.choices, required=False)


class DryRunQuery(serializers.Serializer[Any]):
    dry_run = serializers.BooleanField(required=False, help_text="Only says what the job would meet now.")


class DryRun(serializers.Serializer[Any]):
    devices = serializers.IntegerField()
    online = serializers.IntegerField()
    offline = serializers.IntegerField()
    never_seen = serializers.IntegerField()
    waves = serializers.ListField(child=serializers.IntegerField())
    checked = serializers.IntegerField(help_text="Devices that were looked at one by one.")
    problems = serializers.DictField(child=serializers.IntegerField(), help_text="Of these, what stands against it, by code.")


class TargetQuery(serializers.Serializer[Any]):
    state = serializers.ChoiceField(TargetState.choices, required=False)


class TargetSerializer(serializers.Serializer[Any]):
    device = serializers.CharField(source="device.key")
    wave = serializers.IntegerField()
    state = serializers.ChoiceField(TargetState.choices)
    attempts = serializers.IntegerField()
    command = serializers.IntegerField(allow_null=True, help_text="The command that does it, below devices/{key}/commands/.")
    step = serializers.CharField(default=None, allow_null=True, help_text="Of an update or a new secret: `downloading` ...")
    progress = serializers.IntegerField(default=None, allow_null=True, help_text="Percent.")
    reason = serializers.CharField(allow_blank=True)
    error = serializers.CharField(allow_blank=True)
    finished_at = serializers.DateTimeField(allow_null=True)
