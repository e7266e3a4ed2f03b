"""How what devices say looks on the wire."""

import base64
from typing import Any

from rest_framework import serializers

from devices.exceptions import REASONS
from devices.models import Product
from iotpanel.api.fields import InstantField, KeyOfField, ObjectField
from telemetry.models import DeadLetterRecord


class LatestQuery(serializers.Serializer[Any]):
    property = serializers.ListField(child=serializers.CharField(max_length=256), required=False, help_text="Repeatable; left out: all.")


class EventQuery(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=64, required=False)
    start = InstantField(required=False)
    end = InstantField(required=False)


class EventSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    ts = serializers.FloatField(help_text="Milliseconds since 1970.")
    params = ObjectField()
    received_at = serializers.DateTimeField()


class AttributesSerializer(serializers.Serializer[Any]):
    """Values by name. `ts` has, in the same form, when each was set."""

    reported = ObjectField(help_text="What the device said of itself.")
    server = ObjectField(help_text="Ours alone.")
    shared = ObjectField(help_text="Ours, and the device may know it.")
    ts = ObjectField(help_text="Milliseconds since 1970 of each value, by the same three names.")


class AttributesPatch(serializers.Serializer[Any]):
    server = ObjectField(required=False, help_text="Null takes an attribute away.")
    shared = ObjectField(required=False, help_text="Null takes an attribute away.")


class RawFrameSerializer(serializers.Serializer[Any]):
    direction = serializers.ChoiceField(["up", "down"])
    topic = serializers.CharField()
    payload_base64 = serializers.CharField(help_text="At most the first 4096 bytes.")
    size = serializers.IntegerField()
    ts = serializers.FloatField(help_text="When we received it, in milliseconds since 1970.")
    verdict = serializers.CharField(help_text="`stored`, or the reason why not.")
    detail = serializers.CharField(allow_blank=True)


class DeadLetterQuery(serializers.Serializer[Any]):
    device = serializers.CharField(max_length=256, required=False, help_text="A device's key, known or not.")
    product = serializers.CharField(max_length=64, required=False, help_text="A product's key.")
    reason = serializers.ChoiceField(sorted(REASONS), required=False)
    since = InstantField(required=False, help_text="Received at this time or later.")
    until = InstantField(required=False, help_text="Received before this time.")


class DeadLetterListQuery(DeadLetterQuery):
    replayed = serializers.BooleanField(required=False, help_text="Those that a replay accepted, in place of those that still wait.")


class DeadLetterSerializer(serializers.Serializer[DeadLetterRecord]):
    id = serializers.IntegerField()
    device = serializers.CharField(source="key", allow_blank=True, help_text="The key that the topic or the gateway named, known or not.")
    product = serializers.CharField(source="product.key", default=None, allow_null=True)
    topic = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]
    reason = serializers.ChoiceField(sorted(REASONS))
    detail = serializers.CharField(allow_blank=True)
    payload_base64 = serializers.SerializerMethodField()
    index = serializers.IntegerField(allow_null=True, help_text="Which report of the frame; null: the whole message.")
    received_at = serializers.DateTimeField()
    replayed_at = serializers.DateTimeField(allow_null=True)

    def get_payload_base64(self, letter: DeadLetterRecord) -> str:
        return base64.b64encode(bytes(letter.payload)).decode()


class ReplayAnswer(serializers.Serializer[Any]):
    replayed = serializers.IntegerField(help_text="How many were accepted.")
    failed = serializers.IntegerField(help_text="How many were refused again; each has the new reason.")
    waiting = serializers.IntegerField(required=False, help_text="How many are replayed in the background; left out where none are.")
    run = serializers.IntegerField(
        required=False, allow_null=True, help_text="With `waiting`: see dead-letters/replays/{id}/; null: they wait in earlier runs."
    )


class AdoptRequest(serializers.Serializer[Any]):
    product = KeyOfField(Product.objects, required=False, help_text="Of a new child; what the gateway's product names by default.")
    name = serializers.CharField(max_length=200, required=False, allow_blank=True)


class AdoptAnswer(ReplayAnswer):
    device = serializers.CharField()


class UplinkProblem(serializers.Serializer[Any]):
    index = serializers.IntegerField(allow_null=True, help_text="Which report of the message, from 0; null: all of it.")
    reason = serializers.ChoiceField(sorted(REASONS))
    detail = serializers.CharField(allow_blank=True)


class UplinkAnswer(serializers.Serializer[Any]):
    """What became of the message: received = stored + duplicate + rejected + dead-lettered."""

    received = serializers.IntegerField()
    stored = serializers.IntegerField()
    duplicate = serializers.IntegerField()
    rejected = serializers.IntegerField()
    dead_lettered = serializers.IntegerField()
    heartbeats = serializers.IntegerField()
    problems = UplinkProblem(many=True)
