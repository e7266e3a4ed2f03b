"""A person's own browsers, told by push; nobody else's, whatever one's role."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from iotpanel.api.errors import Forbidden
from iotpanel.tenants.api.base import Endpoint
from iotpanel.tenants.models import User
from rules.models import Browser
from rules.push import browsers, vapid

from .health import Tried


def nested(error: ValidationError) -> dict[str, Any]:
    """What is wrong, where it stands on the wire."""
    texts: dict[str, Any] = dict(error.message_dict)
    keys = {name: texts.pop(name) for name in ("p256dh", "auth") if name in texts}
    return texts | ({"keys": keys} if keys else {})


class KeysSerializer(serializers.Serializer[Any]):
    p256dh = serializers.CharField(max_length=200, help_text="The browser's public key: 65 bytes in URL-safe base64.")
    auth = serializers.CharField(max_length=200, help_text="16 bytes in URL-safe base64.")


class BrowserSerializer(serializers.Serializer[Browser]):
    """A `PushSubscription`, as its `toJSON()` writes it, goes in; its keys never come out."""

    id = serializers.IntegerField(read_only=True)
    name = serializers.CharField(read_only=True, help_text="Of the User-Agent that made it, such as `Firefox · Linux`.")
    endpoint = serializers.CharField(max_length=browsers.LONGEST, write_only=True, help_text="HTTPS.")
    keys = KeysSerializer(write_only=True)
    expirationTime = serializers.FloatField(write_only=True, required=False, allow_null=True, help_text="Not looked at.")
    digest = serializers.CharField(read_only=True, help_text="SHA-256 of the endpoint, by which a browser knows itself.")
    created_at = serializers.DateTimeField(read_only=True)
    used_at = serializers.DateTimeField(read_only=True, allow_null=True, help_text="When a message was last handed to its push service.")


class BrowserKey(serializers.Serializer[Any]):
    key = serializers.CharField(
        help_text="`applicationServerKey`; empty where the operator set none, and nobody is told by push.", allow_blank=True
    )


class BrowserKeyView(Endpoint):
    """What a browser subscribes with."""

    @extend_schema(responses=BrowserKey, operation_id="me_browsers_key")
    def get(self, request: Request) -> Response:
        return Response({"key": vapid.public_key() if vapid.is_set() else ""})


class BrowsersViewSet(Endpoint, GenericViewSet[Any]):
    """Browsers in which I am told by push: at most 20. API keys are nobody, and have none."""

    serializer_class = BrowserSerializer
    queryset = Browser.objects.all()
    lookup_field = "pk"
    lookup_url_kwarg = "id"
    lookup_value_regex = r"[0-9]{1,18}"

    def enter(self, request: Request) -> None:
        if not isinstance(request.user, User):
            raise Forbidden("permission_denied", _("Only a person has browsers."))

    def get_queryset(self) -> QuerySet[Browser]:
        user = self.request.user
        return Browser.objects.for_user(user) if isinstance(user, User) else Browser.objects.none()

    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def create(self, request: Request) -> Response:
        """Takes this browser in; the same endpoint again renews it."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        given, user = serializer.validated_data, request.user
        assert isinstance(user, User)
        agent = request.headers.get("User-Agent", "")
        try:
            made = browsers.subscribe(user, endpoint=given["endpoint"], **given["keys"], agent=agent)
        except ValidationError as error:
            raise serializers.ValidationError(nested(error)) from error
        return Response(self.get_serializer(made).data, status=201)

    def destroy(self, request: Request, **kwargs: Any) -> Response:
        browsers.forget(self.get_object())
        return Response(status=204)

    @extend_schema(request=None, responses=Tried)
    @action(detail=True, methods=["post"])
    def test(self, request: Request, **kwargs: Any) -> Response:
        """Sends a test message now, and answers the push service's words."""
        return Response(browsers.send_test(self.get_object())._asdict())
