"""Replays of dead letters that go on in the background: how far they are; cancelled."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from iotpanel.tenants.api.base import TenantViewSet
from iotpanel.tenants.models import Role
from telemetry.models import ReplayRun
from telemetry.models.run import RunState
from telemetry.uplink import replay_runs


class ReplaySerializer(serializers.Serializer[ReplayRun]):
    id = serializers.IntegerField()
    state = serializers.ChoiceField(RunState.choices)
    total = serializers.IntegerField(help_text="How many letters were chosen when it was asked for.")
    waiting = serializers.IntegerField(help_text="How many it has not come to.")
    replayed = serializers.IntegerField(help_text="How many were accepted.")
    failed = serializers.IntegerField(help_text="How many were refused again; what was done or gone by then is in neither number.")
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class ReplaysViewSet(TenantViewSet):
    """Replays that took longer than their request. DELETE cancels one: what is done stays done, the other letters stay."""

    resource = "dead-letters"
    writes = Role.OPERATOR
    serializer_class = ReplaySerializer
    queryset = ReplayRun.objects.all()
    lookup_field = "id"
    lookup_value_regex = r"[0-9]{1,18}"
    http_method_names = ["get", "delete", "head"]

    def get_queryset(self) -> QuerySet[Any]:
        found: QuerySet[Any] = super().get_queryset().light()  # type: ignore[attr-defined]
        return found

    def delete_object(self, instance: ReplayRun) -> None:
        replay_runs.cancel(instance)
