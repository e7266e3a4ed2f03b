"""How commands look on the wire."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from devices.models import Command, CommandState
from iotpanel.api.fields import CheckedObjectField, InstantField, ObjectField

MAX_WAIT = 60  # seconds
ANYTHING: dict[str, Any] = {"description": "Any JSON.", "nullable": True}


class NewCommand(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=64)
    params = CheckedObjectField(required=False, help_text="As the thing model says.")
    expires_in = serializers.FloatField(required=False, help_text="Seconds that it may wait to be sent; a day by default.")
    timeout = serializers.FloatField(required=False, help_text="Seconds that the reply may take; what the thing model says, or 30.")
    priority = serializers.IntegerField(required=False, min_value=-100, max_value=100, help_text="Higher ones go first.")
    replace_key = serializers.CharField(
        required=False, allow_blank=True, max_length=64, help_text="Cancels the one that is queued with the same."
    )


class CommandQuery(serializers.Serializer[Any]):
    state = serializers.ListField(child=serializers.ChoiceField(CommandState.choices), required=False, help_text="Repeatable.")
    name = serializers.CharField(required=False, max_length=64)
    since = InstantField(required=False)
    until = InstantField(required=False)


class WaitQuery(serializers.Serializer[Any]):
    wait = serializers.FloatField(
        required=False, min_value=0, max_value=MAX_WAIT, help_text="Seconds to wait for the end; the answer is 201 then, else 202."
    )


class CommandStep(serializers.Serializer[Any]):
    state = serializers.ChoiceField(CommandState.choices)
    ts = serializers.IntegerField(help_text="Milliseconds since 1970.")
    reason = serializers.CharField(required=False)


@extend_schema_field(ANYTHING)
class AnythingField(serializers.Field[Any, Any, Any, Any]):
    """Any JSON, shown as it is."""

    def to_representation(self, value: Any) -> Any:
        return value


class CommandSerializer(serializers.Serializer[Command]):
    """`result` and `error` are there where the device gave them, or the platform has something to say."""

    id = serializers.CharField()
    device = serializers.CharField(source="device.key")
    name = serializers.CharField()
    params = ObjectField()
    state = serializers.ChoiceField(CommandState.choices)
    final = serializers.BooleanField()
    reason = serializers.CharField(help_text="Why it ended so, in one word for programs.")
    result = AnythingField(required=False)
    error = serializers.CharField(required=False)
    priority = serializers.IntegerField()
    replace_key = serializers.CharField()
    attempts = serializers.IntegerField()
    waits = serializers.CharField(help_text="What a queued one waits for: device, retry, pace; empty: its turn.")
    person = serializers.CharField(source="person.username", default=None, allow_null=True)
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    sent_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    history = CommandStep(many=True)

    def to_representation(self, instance: Command) -> dict[str, Any]:
        shown = dict(super().to_representation(instance))
        if instance.result is None:
            del shown["result"]
        if not instance.error:
            del shown["error"]
        return shown
