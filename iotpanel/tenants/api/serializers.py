"""How people, tenants, members and keys look on the wire."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from iotpanel.tenants.models import ApiKey, Membership, Role, Tenant, User


class TokenRequest(serializers.Serializer[Any]):
    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=1000, trim_whitespace=False, write_only=True)
    otp = serializers.CharField(
        max_length=32, required=False, allow_blank=True, help_text="Where two-factor is set up: the code, or a recovery code."
    )


class TokenAnswer(serializers.Serializer[Any]):
    token = serializers.CharField()
    expires_at = serializers.DateTimeField()


class TenantOfMe(serializers.Serializer[Any]):
    key = serializers.CharField()
    name = serializers.CharField()
    role = serializers.ChoiceField(Role.choices)


class MeAnswer(serializers.Serializer[Any]):
    username = serializers.CharField()
    tenants = TenantOfMe(many=True)


class LimitsSerializer(serializers.Serializer[Any]):
    rate = serializers.FloatField(
        source="rate_limit", required=False, allow_null=True, help_text="Reports per second; null inherits, 0 is no limit."
    )
    burst = serializers.IntegerField(
        source="rate_burst", required=False, allow_null=True, help_text="Reports at once; null: ten seconds' worth."
    )


class TenantSerializer(serializers.Serializer[Tenant]):
    key = serializers.CharField(max_length=64)
    name = serializers.CharField(max_length=200)
    limits = LimitsSerializer(source="*", required=False, help_text="Of all devices together.")
    created_at = serializers.DateTimeField(read_only=True)


class MemberSerializer(serializers.Serializer[Membership]):
    username = serializers.CharField(max_length=150, source="user.username")
    role = serializers.ChoiceField(Role.choices)
    email = serializers.CharField(max_length=254, required=False, allow_blank=True, source="user.email")
    password = serializers.CharField(
        max_length=1000, trim_whitespace=False, write_only=True, required=False, help_text="Only for a person who has no account yet."
    )
    created_at = serializers.DateTimeField(read_only=True)

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Flat, as the verbs take it."""
        values = super().to_internal_value(data)
        return {**{name: value for name, value in values.items() if name != "user"}, **values.get("user", {})}


class ApiKeySerializer(serializers.Serializer[ApiKey]):
    id = serializers.IntegerField(read_only=True)
    name = serializers.CharField(max_length=200)
    role = serializers.ChoiceField(Role.choices)
    scopes = serializers.ListField(child=serializers.CharField(max_length=64), max_length=64, required=False)
    expires_at = serializers.DateTimeField(required=False, allow_null=True)
    prefix = serializers.CharField(read_only=True, help_text="How the key begins; the `id` of signed requests.")
    created_at = serializers.DateTimeField(read_only=True)
    created_by = serializers.SerializerMethodField()
    last_used_at = serializers.DateTimeField(read_only=True, allow_null=True)
    when_absent: dict[str, Any] = {"scopes": [], "expires_at": None}

    @extend_schema_field({"type": "string", "nullable": True})
    def get_created_by(self, api_key: ApiKey) -> str | None:
        creator: User | None = api_key.created_by
        return creator.username if creator else None


class NewApiKey(ApiKeySerializer):
    """What is shown once."""

    key = serializers.CharField(read_only=True)
    signing_secret = serializers.CharField(read_only=True)
