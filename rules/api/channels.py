"""Notification channels, and the notices on the pages."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from iotpanel.tenants.api.base import TenantViewSet
from iotpanel.tenants.models import Role
from rules.channels import CHANNELS, records
from rules.channels.trying import send_test
from rules.forwarders.trying import Tried
from rules.models import Channel, Notice

from .adapted import AdaptedSerializer, AdaptedViewSet


class ChannelSerializer(AdaptedSerializer):
    records = records

    kind = serializers.ChoiceField([*CHANNELS])
    title = serializers.CharField(required=False, allow_blank=True, max_length=4000, help_text="Template; empty: the usual words.")
    text = serializers.CharField(required=False, allow_blank=True, max_length=4000, trim_whitespace=False)
    group_wait = serializers.IntegerField(
        required=False, min_value=0, max_value=86_400, help_text="Seconds for which a first message waits for others."
    )
    group_interval = serializers.IntegerField(
        required=False, min_value=0, max_value=86_400, help_text="Seconds between two messages; what comes meanwhile goes as one."
    )

    when_absent: dict[str, Any] = {"enabled": True, "settings": {}, "title": "", "text": "", "group_wait": 2, "group_interval": 60}


@extend_schema_view(destroy=extend_schema(description="With what waits for it."))
class ChannelsViewSet(AdaptedViewSet):
    """How people are told: e-mail, webhook, chats, the pages; with how each of them does."""

    resource = "channels"
    serializer_class = ChannelSerializer
    queryset = Channel.objects.all()
    table = CHANNELS
    records = records

    def create_object(self, values: dict[str, Any]) -> tuple[Channel, dict[str, Any]]:
        return records.create_channel(self.tenant, **values), {}

    def update_object(self, instance: Channel, values: dict[str, Any]) -> Channel:
        return records.update_channel(instance, **values)

    def delete_object(self, instance: Channel) -> None:
        records.delete_channel(instance)

    def send_test(self, instance: Channel) -> Tried:
        return send_test(instance)


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
