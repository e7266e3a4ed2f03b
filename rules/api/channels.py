"""Notification channels, and the notices on the pages."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from iotpanel.api.fields import ObjectField
from iotpanel.tenants.api.base import TenantViewSet
from iotpanel.tenants.models import Role
from rules.channels import CHANNELS, records
from rules.channels.trying import send_test
from rules.delivery import queue
from rules.models import Channel, Delivery, Notice

from .health import DeliverySerializer, HealthSerializer, Kind, PutBack, Tried, health_of, kinds_of


class ChannelSerializer(serializers.Serializer[Channel]):
    id = serializers.IntegerField(read_only=True)
    name = serializers.CharField(max_length=200)
    kind = serializers.ChoiceField([*CHANNELS])
    enabled = serializers.BooleanField(required=False)
    settings = ObjectField(required=False, help_text="By the schema of the kind; secrets are taken, and never shown again.")
    secrets = serializers.SerializerMethodField(help_text="Names of the secrets that are set.")
    title = serializers.CharField(required=False, allow_blank=True, max_length=4000, help_text="Template; empty: the usual words.")
    text = serializers.CharField(required=False, allow_blank=True, max_length=4000, trim_whitespace=False)
    group_wait = serializers.IntegerField(
        required=False, min_value=0, max_value=86_400, help_text="Seconds for which a first message waits for others."
    )
    group_interval = serializers.IntegerField(
        required=False, min_value=0, max_value=86_400, help_text="Seconds between two messages; what comes meanwhile goes as one."
    )
    health = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)

    when_absent: dict[str, Any] = {"enabled": True, "settings": {}, "title": "", "text": "", "group_wait": 2, "group_interval": 60}

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_secrets(self, channel: Channel) -> list[str]:
        return records.secrets_of(channel)

    @extend_schema_field(HealthSerializer)
    def get_health(self, channel: Channel) -> dict[str, Any]:
        return health_of(records.target_of(channel))


@extend_schema_view(destroy=extend_schema(description="With what waits for it."))
class ChannelsViewSet(TenantViewSet):
    """How people are told: e-mail, webhook, chats, the pages; with how each of them does."""

    resource = "channels"
    serializer_class = ChannelSerializer
    queryset = Channel.objects.all()
    lookup_field = "id"
    lookup_url_kwarg = "id"
    lookup_value_regex = r"[0-9]{1,18}"
    needs = {"put_back": Role.OPERATOR}

    def create_object(self, values: dict[str, Any]) -> tuple[Channel, dict[str, Any]]:
        return records.create_channel(self.tenant, **values), {}

    def update_object(self, instance: Channel, values: dict[str, Any]) -> Channel:
        return records.update_channel(instance, **values)

    def delete_object(self, instance: Channel) -> None:
        records.delete_channel(instance)

    @extend_schema(responses=Kind(many=True), filters=False)
    @action(detail=False, methods=["get"], pagination_class=None)
    def kinds(self, request: Request) -> Response:
        """What there is: each kind with the JSON Schema of its settings (`writeOnly`: a secret)."""
        return Response(kinds_of(CHANNELS))

    @extend_schema(request=None, responses=Tried)
    @action(detail=True, methods=["post"])
    def test(self, request: Request, **kwargs: Any) -> Response:
        """Sends a test message now, and answers the service's words."""
        return Response(send_test(self.get_object())._asdict())

    @extend_schema(request=None, responses=PutBack)
    @action(detail=True, methods=["post"], url_path="put-back")
    def put_back(self, request: Request, **kwargs: Any) -> Response:
        """What was given up is tried again from the beginning."""
        dead: Any = queue.of(records.target_of(self.get_object()))
        return Response({"put_back": queue.put_back(dead)})

    @extend_schema(responses=DeliverySerializer(many=True), filters=False)
    @action(detail=True, methods=["get"], pagination_class=None)
    def deliveries(self, request: Request, **kwargs: Any) -> Response:
        """The last hundred messages: what was sent, and what was answered; newest first."""
        channel = self.get_object()
        rows: Any = Delivery.objects.for_tenant(self.tenant).filter(kind=records.KIND, target=channel.pk)[:100]
        return Response(DeliverySerializer(rows, many=True).data)


class NoticeSerializer(serializers.Serializer[Notice]):
    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    title = serializers.CharField()
    text = serializers.CharField(allow_blank=True)
    read_at = serializers.DateTimeField(allow_null=True)


class MarkedRead(serializers.Serializer[Any]):
    read = serializers.IntegerField()


class NoticesViewSet(TenantViewSet):
    """Messages to the tenant's people on the pages themselves, newest first."""

    resource = "notices"
    serializer_class = NoticeSerializer
    queryset = Notice.objects.all()
    cursor_field = "at"
    needs = {"read": Role.OPERATOR}

    @extend_schema(request=None, responses=MarkedRead)
    def read(self, request: Request) -> Response:
        """Marks all of them as read, for everybody."""
        unread: Any = self.get_queryset().filter(read_at__isnull=True)
        return Response({"read": unread.update(read_at=timezone.now())})
