"""What stands around alarms: maintenance windows, and on-call rotations."""

from typing import Any

from rest_framework import serializers

from iotpanel.tenants.api.base import TenantViewSet
from rules import mutes, rotations
from rules.models import Maintenance, Rotation


class MaintenanceSerializer(serializers.Serializer[Maintenance]):
    id = serializers.IntegerField(read_only=True)
    name = serializers.CharField(max_length=200)
    scope = serializers.JSONField(required=False, help_text="As a rule's; empty: all devices.")
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()

    when_absent: dict[str, Any] = {"scope": {}}


class MaintenancesViewSet(TenantViewSet):
    """While one lasts, alarms of its devices are raised onto the shelf, and nobody is called."""

    resource = "maintenances"
    serializer_class = MaintenanceSerializer
    queryset = Maintenance.objects.all()
    lookup_field = "id"
    lookup_value_regex = r"[0-9]{1,18}"

    def create_object(self, values: dict[str, Any]) -> tuple[Maintenance, dict[str, Any]]:
        return mutes.create_maintenance(self.tenant, **values), {}

    def update_object(self, instance: Maintenance, values: dict[str, Any]) -> Maintenance:
        return mutes.update_maintenance(instance, **values)

    def delete_object(self, instance: Maintenance) -> None:
        mutes.delete_maintenance(instance)


class RotationSerializer(serializers.Serializer[Rotation]):
    key = serializers.CharField(max_length=64)
    name = serializers.CharField(max_length=200)
    people = serializers.ListField(child=serializers.CharField(max_length=150), help_text="Usernames, in turn.")
    period = serializers.IntegerField(required=False, min_value=1, max_value=366, help_text="Days each; 7 where it is left out.")
    starts_at = serializers.DateTimeField()
    on_call = serializers.SerializerMethodField()

    when_absent: dict[str, Any] = {"period": 7}

    def get_on_call(self, rotation: Rotation) -> str | None:
        person = rotations.on_call(rotation.tenant_id, rotation.key)
        return person.username if person else None


class RotationsViewSet(TenantViewSet):
    """Who is on call when, one after the other."""

    resource = "rotations"
    serializer_class = RotationSerializer
    queryset = Rotation.objects.all()

    def create_object(self, values: dict[str, Any]) -> tuple[Rotation, dict[str, Any]]:
        return rotations.create_rotation(self.tenant, **values), {}

    def update_object(self, instance: Rotation, values: dict[str, Any]) -> Rotation:
        return rotations.update_rotation(instance, **values)

    def delete_object(self, instance: Rotation) -> None:
        rotations.delete_rotation(instance)
