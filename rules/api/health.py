"""What forwarders and channels have in common on the wire: kinds with their schemas, health, tests, what was sent."""

from collections.abc import Mapping
from typing import Any

from django.utils import timezone
from rest_framework import serializers

from iotpanel.api.fields import ObjectField
from rules.delivery import lease, queue
from rules.models import Delivery, OutboxItem, Target


class HealthSerializer(serializers.Serializer[Any]):
    state = serializers.ChoiceField(
        ["idle", "ok", "waiting", "down", "held"], help_text="`down`: nothing is sent before `paused_until`; `held`: not before `resume/`."
    )
    held_since = serializers.DateTimeField(allow_null=True, help_text="Since when a person has it wait.")
    waiting = serializers.IntegerField(help_text="Messages that wait.")
    lag_seconds = serializers.FloatField(help_text="For how long the oldest of them has waited.")
    delivered = serializers.IntegerField(help_text="Messages delivered since it was made.")
    dead = serializers.IntegerField(help_text="Messages given up that can be put back.")
    failures = serializers.IntegerField(help_text="Attempts in a row that found it down.")
    paused_until = serializers.DateTimeField(allow_null=True)
    last_ok_at = serializers.DateTimeField(allow_null=True)
    last_error = serializers.CharField(allow_blank=True)
    last_error_at = serializers.DateTimeField(allow_null=True)


class Kind(serializers.Serializer[Any]):
    kind = serializers.CharField()
    title = serializers.CharField()
    experimental = serializers.BooleanField(help_text="Not tested against a real server.")
    schema = ObjectField()


class Tried(serializers.Serializer[Any]):
    ok = serializers.BooleanField()
    sent = serializers.CharField(allow_blank=True)
    answer = serializers.CharField(allow_blank=True, help_text="The other side's words.")


class PutBack(serializers.Serializer[Any]):
    put_back = serializers.IntegerField()


class DeliverySerializer(serializers.Serializer[Delivery]):
    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    ok = serializers.BooleanField()
    test = serializers.BooleanField()
    messages = serializers.IntegerField()
    sent = serializers.CharField(allow_blank=True)
    answer = serializers.CharField(allow_blank=True)


def health_of(target: Target) -> dict[str, Any]:
    """How a target does, as the API and the pages show it."""
    waits = lease.waiting(target)
    oldest: Any = waits["oldest"]
    dead = queue.of(target).filter(state=OutboxItem.State.DEAD)[: lease.CAPPED].count()
    return {
        "state": _state(target, waits["messages"]),
        "held_since": target.held_at,
        "waiting": waits["messages"] or 0,
        "lag_seconds": round((timezone.now() - oldest).total_seconds(), 3) if oldest else 0.0,
        "delivered": target.delivered,
        "dead": dead,
        "failures": target.failures,
        "paused_until": target.paused_until if target.failures else None,
        "last_ok_at": target.last_ok_at,
        "last_error": target.last_error,
        "last_error_at": target.last_error_at,
    }


def _state(target: Target, waiting: object) -> str:
    if target.held_at:
        return "held"
    return "down" if target.failures else "waiting" if waiting else "ok" if target.last_ok_at else "idle"


def kinds_of(table: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"kind": kind, "title": str(adapter.TITLE), "experimental": adapter.EXPERIMENTAL, "schema": adapter.SETTINGS}
        for kind, adapter in table.items()
    ]
