"""Alarms: seen, acknowledged, cleared, assigned, commented and shelved."""

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from devices.models import Device, Group
from iotpanel.api.fields import InstantField, KeyOfField
from iotpanel.tenants.api.base import TenantViewSet
from iotpanel.tenants.models import Role, User
from rules import alarms
from rules.models import Alarm, AlarmEvent, Severity


class AlarmQuery(serializers.Serializer[Any]):
    device = KeyOfField(Device.objects, required=False, help_text="The device, and all that speak through it.")
    group = KeyOfField(Group.objects, required=False, help_text="The group and all below it.")
    rule = serializers.IntegerField(required=False, min_value=1, max_value=2**62)
    active = serializers.BooleanField(required=False, allow_null=True)
    acknowledged = serializers.BooleanField(required=False, allow_null=True)
    shelved = serializers.BooleanField(required=False, allow_null=True)
    severity = serializers.ListField(child=serializers.ChoiceField(Severity.choices), required=False, max_length=5)
    assigned_to = serializers.CharField(required=False, max_length=150, help_text="A username; “-”: nobody.")
    since = InstantField(required=False)
    until = InstantField(required=False)


class AlarmSerializer(serializers.Serializer[Alarm]):
    id = serializers.IntegerField()
    rule = serializers.IntegerField(allow_null=True)
    rule_name = serializers.CharField()
    device = serializers.CharField()
    device_name = serializers.CharField()
    severity = serializers.ChoiceField(Severity.choices)
    active = serializers.BooleanField()
    acknowledged = serializers.BooleanField()
    message = serializers.CharField()
    value = serializers.JSONField(allow_null=True)
    raised_at = serializers.DateTimeField()
    cleared_at = serializers.DateTimeField(allow_null=True)
    acknowledged_at = serializers.DateTimeField(allow_null=True)
    acknowledged_by = serializers.CharField(allow_null=True)
    assigned_to = serializers.CharField(allow_null=True)
    shelved_until = serializers.DateTimeField(allow_null=True)
    escalations = serializers.IntegerField()

    def to_representation(self, instance: Alarm) -> dict[str, Any]:
        return alarms.as_json(instance)


class AlarmEventSerializer(serializers.Serializer[AlarmEvent]):
    at = serializers.DateTimeField()
    kind = serializers.ChoiceField(AlarmEvent.Kind.choices)
    person = serializers.CharField(source="person.username", allow_null=True, default=None)
    text = serializers.CharField()
    data = serializers.JSONField()  # type: ignore[assignment]  # DRF's metaclass takes fields out of the class


class AlarmEvents(serializers.Serializer[Any]):
    results = AlarmEventSerializer(many=True)
    next = serializers.CharField(allow_null=True)


class Words(serializers.Serializer[Any]):
    text = serializers.CharField(required=False, allow_blank=True, max_length=2_000)


class Comment(serializers.Serializer[Any]):
    text = serializers.CharField(max_length=2_000)


class Assignment(Words):
    to = serializers.CharField(allow_null=True, max_length=150, help_text="A member's username; null: nobody.")


class Shelf(Words):
    until = InstantField(allow_null=True, help_text="Null takes it off the shelf.")


class Counts(serializers.Serializer[Any]):
    active = serializers.IntegerField()
    unacknowledged = serializers.IntegerField()
    shelved = serializers.IntegerField()
    by_severity = serializers.DictField(child=serializers.IntegerField())


@extend_schema_view(list=extend_schema(parameters=[AlarmQuery]))
class AlarmsViewSet(TenantViewSet):
    """What rules have raised. Acknowledging and clearing know nothing of each other."""

    resource = "alarms"
    writes = Role.OPERATOR
    serializer_class = AlarmSerializer
    queryset = Alarm.objects.select_related("device", "acknowledged_by", "assigned_to")
    lookup_field = "id"
    lookup_value_regex = r"[0-9]{1,18}"
    http_method_names = ["get", "post", "head"]
    cursor_field = "raised_at"

    def get_queryset(self) -> QuerySet[Any]:
        found: Any = super().get_queryset()
        return chosen(found, self.query(AlarmQuery)) if self.action == "list" else found

    @extend_schema(exclude=True)
    def create(self, request: Request) -> Response:
        return self.http_method_not_allowed(request)

    @extend_schema(request=Words, responses=AlarmSerializer)
    @action(detail=True, methods=["post"])
    def acknowledge(self, request: Request, **kwargs: Any) -> Response:
        """Somebody looks after it; it stays active until it is cleared."""
        return self._do(alarms.acknowledge, self.get_object(), self.validated(Words, request.data or {}))

    @extend_schema(request=Words, responses=AlarmSerializer)
    @action(detail=True, methods=["post"])
    def clear(self, request: Request, **kwargs: Any) -> Response:
        """It is over. Should its condition hold still, the next reading raises a new one."""
        return self._do(alarms.clear, self.get_object(), self.validated(Words, request.data or {}))

    @extend_schema(request=Assignment, responses=AlarmSerializer)
    @action(detail=True, methods=["post"])
    def assign(self, request: Request, **kwargs: Any) -> Response:
        """Gives it to a member."""
        alarm, given = self.get_object(), self.validated(Assignment, request.data or {})
        name = given.pop("to")
        person = User.objects.filter(username=name, memberships__tenant=self.tenant, is_active=True).first() if name else None
        if name and person is None:
            raise serializers.ValidationError({"to": [_("There is no such member.")]})
        return self._do(alarms.assign, alarm, {"to": person, **given})

    @extend_schema(request=Shelf, responses=AlarmSerializer)
    @action(detail=True, methods=["post"])
    def shelve(self, request: Request, **kwargs: Any) -> Response:
        """Puts it out of sight for a while."""
        alarm, given = self.get_object(), self.validated(Shelf, request.data or {})
        if given["until"] is not None and given["until"] <= timezone.now():
            raise serializers.ValidationError({"until": [_("Give a time to come.")]})
        return self._do(alarms.shelve, alarm, given)

    @extend_schema(methods=["GET"], responses=AlarmEvents, filters=False)
    @extend_schema(methods=["POST"], request=Comment, responses={201: AlarmEventSerializer})
    @action(detail=True, methods=["get", "post"], pagination_class=None)
    def comments(self, request: Request, **kwargs: Any) -> Response:
        """All that happened to it, oldest first; what is posted is added."""
        alarm = self.get_object()
        if request.method == "POST":
            made = alarms.comment(alarm, by=self.person(), **self.validated(Comment, request.data or {}))
            return Response(AlarmEventSerializer(made).data, status=201)
        return Response({"results": AlarmEventSerializer(alarm.events.select_related("person"), many=True).data, "next": None})

    @extend_schema(responses=Counts, filters=False)
    @action(detail=False, methods=["get"], pagination_class=None)
    def counts(self, request: Request) -> Response:
        """How many are active, and how severe."""
        return Response(alarms.counts(Alarm.objects.for_tenant(self.tenant)))

    def _do(self, verb: Callable[..., Alarm], alarm: Alarm, given: dict[str, Any]) -> Response:
        changed = verb(alarm, by=self.person(), **given)
        return Response(self.shown(self.get_queryset().get(pk=changed.pk)))


def chosen(found: Any, query: dict[str, Any]) -> Any:
    """The alarms that fit all of an AlarmQuery."""
    if query.get("device") is not None:
        found = found.of_gateway(query["device"])
    if query.get("group") is not None:
        found = found.of_group(query["group"])
    for name, lookup in {"rule": "rule_id", "since": "raised_at__gte", "until": "raised_at__lt"}.items():
        if query.get(name) is not None:
            found = found.filter(**{lookup: query[name]})
    if query.get("active") is not None:
        found = found.filter(active=query["active"])
    if query.get("severity"):
        found = found.filter(severity__in=query["severity"])
    if query.get("acknowledged") is not None:
        found = found.filter(acknowledged_at__isnull=not query["acknowledged"])
    if query.get("shelved") is not None:
        found = found.shelved() if query["shelved"] else found.exclude(shelved_until__gt=timezone.now())
    if query.get("assigned_to"):
        name = query["assigned_to"]
        found = found.filter(assigned_to=None) if name == "-" else found.filter(assigned_to__username=name)
    return found
