"""How products, devices and groups look on the wire. The verbs check what they mean; here only the shape is.

Fields may be called like attributes of DRF's classes (`parent`, `update`): its metaclass takes them out of the class.
"""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from devices.models import Device, Group, Product
from devices.models.product import CodecKind, UnknownProperties
from devices.products import MOST_AT_ONCE
from iotpanel.api.fields import KeyOfField, ListOfAnythingField, ObjectField
from iotpanel.tenants.api.serializers import LimitsSerializer

LOCATION = {
    "type": "object",
    "nullable": True,
    "required": ["lat", "lon"],
    "properties": {"lat": {"type": "number", "minimum": -90, "maximum": 90}, "lon": {"type": "number", "minimum": -180, "maximum": 180}},
}


class CodecSerializer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(CodecKind.choices, source="codec_kind")
    script = serializers.CharField(source="codec_script", required=False, allow_blank=True, trim_whitespace=False, max_length=65_536)
    samples = ListOfAnythingField(source="codec_samples", required=False)


class ChildrenSerializer(serializers.Serializer[Any]):
    register = serializers.BooleanField(source="register_children")
    product = KeyOfField(Product.objects, source="child_product", required=False, allow_null=True)


class ProductSerializer(serializers.Serializer[Product]):
    key = serializers.CharField(max_length=64)
    name = serializers.CharField(max_length=200)
    description = serializers.CharField(required=False, allow_blank=True, max_length=10_000, trim_whitespace=False)
    thing_model = ObjectField(required=False, help_text="`properties`, `attributes`, `events`, `commands`, each a list.")
    codec = CodecSerializer(source="*", required=False)
    offline_after = serializers.IntegerField(
        required=False, min_value=0, max_value=366 * 86_400, help_text="Seconds of silence; 0: never by silence."
    )
    unknown_properties = serializers.ChoiceField(UnknownProperties.choices, required=False)
    topics = ListOfAnythingField(required=False, help_text="Topics of its own: texts, or objects with `topic` and `kind`.")
    children = ChildrenSerializer(source="*", required=False)
    retention_days = serializers.IntegerField(required=False, allow_null=True, min_value=1, max_value=36_500)
    archive_days = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=365, help_text="Messages are kept as received for so many days; null: not."
    )
    command_window = serializers.IntegerField(
        required=False, min_value=1, max_value=MOST_AT_ONCE, help_text="How many commands of a device may wait for a reply at a time."
    )
    firmware_key = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=2_000,
        help_text="Ed25519 public key: PEM, base64 or hex. With it packages must be signed.",
    )
    rollup_retention = ObjectField(required=False, help_text="Days by rollup: `minute`, `hour`, `day`; below `properties` for single ones.")
    limits = LimitsSerializer(source="*", required=False, help_text="Of each device.")
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)

    when_absent: dict[str, Any] = {
        "description": "", "thing_model": {}, "codec_kind": "json", "codec_script": "", "codec_samples": [],
        "offline_after": 600, "unknown_properties": "accept", "topics": [], "register_children": False, "child_product": None,
        "retention_days": None, "rollup_retention": {}, "rate_limit": None, "rate_burst": None, "archive_days": None,
        "command_window": 1, "firmware_key": "",
    }  # fmt: skip


class StatusSerializer(serializers.Serializer[Any]):
    online = serializers.BooleanField()
    last_seen = serializers.DateTimeField(allow_null=True)


class RunningSerializer(serializers.Serializer[Any]):
    version = serializers.CharField(help_text="What the device says that it runs.")
    before = serializers.CharField(allow_blank=True)
    since = serializers.DateTimeField()


@extend_schema_field(LOCATION)
class LocationField(serializers.Field[Any, Any, Any, Any]):
    """`{"lat", "lon"}` in degrees, or null."""

    default_error_messages = {"invalid": "Give “lat” and “lon” in degrees, or null."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(source="*", **kwargs)

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict) or set(data) != {"lat", "lon"}:
            self.fail("invalid")
        return {"latitude": data["lat"], "longitude": data["lon"]}

    def to_representation(self, value: Device) -> dict[str, float] | None:
        return None if value.latitude is None or value.longitude is None else {"lat": value.latitude, "lon": value.longitude}

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """Null takes the location away."""
        return {"latitude": None, "longitude": None} if data is None else super().run_validation(data)


@extend_schema_field({"type": "object", "additionalProperties": {"type": "string"}})
class LabelsField(ObjectField):
    """Texts by name."""


class GroupsField(serializers.ListField):
    """The keys of a device's groups."""

    def to_representation(self, data: Any) -> list[str]:
        return sorted(group.key for group in data.all())


class DeviceSerializer(serializers.Serializer[Device]):
    key = serializers.CharField(max_length=64)
    name = serializers.CharField(max_length=200, required=False, allow_blank=True)
    product = KeyOfField(Product.objects)
    parent = KeyOfField(Device.objects, required=False, allow_null=True, help_text="The gateway.")  # type: ignore[assignment]
    groups = GroupsField(child=KeyOfField(Group.objects), required=False, max_length=100)
    labels = LabelsField(required=False)
    location = LocationField(required=False)
    enabled = serializers.BooleanField(required=False)
    limits = LimitsSerializer(source="*", required=False)
    status = serializers.SerializerMethodField()
    firmware = RunningSerializer(source="running", read_only=True, default=None, allow_null=True)
    created_at = serializers.DateTimeField(read_only=True)
    updated_at = serializers.DateTimeField(read_only=True)

    when_absent: dict[str, Any] = {
        "name": "",
        "parent": None,
        "groups": [],
        "labels": {},
        "latitude": None,
        "longitude": None,
        "enabled": True,
        "rate_limit": None,
        "rate_burst": None,
    }

    @extend_schema_field(StatusSerializer)
    def get_status(self, device: Device) -> dict[str, Any]:
        presence = getattr(device, "presence", None)
        return dict(StatusSerializer(presence).data) if presence else {"online": False, "last_seen": None}


class CredentialsSerializer(serializers.Serializer[Any]):
    username = serializers.CharField()
    secret = serializers.CharField()


class RotatedCredentials(CredentialsSerializer):
    credentials = CredentialsSerializer()


class NewDevice(DeviceSerializer):
    """With what is shown once."""

    credentials = CredentialsSerializer()


class RotateRequest(serializers.Serializer[Any]):
    grace = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=7 * 86_400,
        help_text="Seconds for which the old secret still works, where we check secrets ourselves.",
    )


class ImportQuery(serializers.Serializer[Any]):
    dry_run = serializers.BooleanField(required=False, help_text="Only says what would happen.")


class ImportProblem(serializers.Serializer[Any]):
    row = serializers.IntegerField(help_text="As a spreadsheet counts: the header is 1.")
    key = serializers.CharField(allow_blank=True)
    column = serializers.CharField(allow_blank=True)
    messages = serializers.ListField(child=serializers.CharField())


class ImportReport(serializers.Serializer[Any]):
    """What the file does, or would do. Where a row is bad nothing is written, and this is the error's `details`."""

    dry_run = serializers.BooleanField()
    rows = serializers.IntegerField()
    new = serializers.IntegerField()
    update = serializers.IntegerField()  # type: ignore[assignment]
    same = serializers.IntegerField()
    bad = serializers.IntegerField()
    problems = ImportProblem(many=True)


class GroupSerializer(serializers.Serializer[Group]):
    key = serializers.CharField(max_length=64)
    name = serializers.CharField(max_length=200)
    parent = KeyOfField(Group.objects, required=False, allow_null=True)  # type: ignore[assignment]
    created_at = serializers.DateTimeField(read_only=True)

    when_absent: dict[str, Any] = {"parent": None}


class FrameSerializer(serializers.Serializer[Any]):
    payload_base64 = serializers.CharField(max_length=350_000, allow_blank=True)
    topic = serializers.CharField(max_length=1000, required=False, allow_blank=True)
    port = serializers.IntegerField(required=False, allow_null=True, min_value=0, max_value=65_535)


class CodecTestRequest(serializers.Serializer[Any]):
    script = serializers.CharField(trim_whitespace=False, max_length=65_536)
    frames = FrameSerializer(many=True, max_length=500)  # type: ignore[call-arg]


class CodecTestReport(serializers.Serializer[Any]):
    ts = serializers.FloatField(allow_null=True, help_text="Milliseconds since 1970; null: the time of arrival.")
    values = ObjectField()


class CodecTestError(serializers.Serializer[Any]):
    code = serializers.CharField()
    message = serializers.CharField()


class CodecTestAnswer(serializers.Serializer[Any]):
    """For one frame: `reports` and `log`, or `error`."""

    reports = CodecTestReport(many=True, required=False)
    log = serializers.ListField(child=serializers.CharField(), required=False)
    error = CodecTestError(required=False)
