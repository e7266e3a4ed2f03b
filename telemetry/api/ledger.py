"""What became of every report, and what never came."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from devices.api.base import DeviceEndpoint
from devices.models import Device
from iotpanel.api.fields import InstantField
from iotpanel.tenants.api.base import TenantEndpoint
from telemetry import gaps, ledger

DAY = timedelta(days=1)
LONGEST = {"hour": timedelta(days=92), "day": timedelta(days=3660)}


class WindowQuery(serializers.Serializer[Any]):
    start = InstantField(required=False, help_text="Left out: a day before the end.")
    end = InstantField(required=False, help_text="Left out: now.")


class LedgerQuery(WindowQuery):
    by = serializers.ChoiceField(["hour", "day"], required=False, help_text="Width of the results, in UTC; left out: hour.")


class CountsSerializer(serializers.Serializer[Any]):
    """received = stored + duplicate + rejected + dead_lettered; what is missing there is `unaccounted`, which is a fault."""

    received = serializers.IntegerField()
    stored = serializers.IntegerField()
    duplicate = serializers.IntegerField()
    rejected = serializers.IntegerField()
    dead_lettered = serializers.IntegerField()
    heartbeats = serializers.IntegerField(help_text="Messages that carried nothing but a sign of life; beside the sum.")
    unaccounted = serializers.IntegerField(source="missing")


class LedgerStep(CountsSerializer):
    at = serializers.DateTimeField(help_text="Where the hour or day begins.")


class LedgerAnswer(CountsSerializer):
    """Sums over the whole hours of the window, and step by step; steps without uplinks are left out."""

    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    results = LedgerStep(many=True)


class GapSerializer(serializers.Serializer[Any]):
    start = serializers.DateTimeField(help_text="The last report before it, or where the window begins.")
    end = serializers.DateTimeField(allow_null=True, help_text="The next report; null: it still lasts.")
    seconds = serializers.FloatField()
    missing = serializers.IntegerField(help_text="About so many reports.")


class GapsAnswer(serializers.Serializer[Any]):
    period = serializers.FloatField(allow_null=True, help_text="Seconds between reports; null: it comes as it likes, and misses nothing.")
    learnt = serializers.BooleanField(help_text="From its own reports, and not from its thing model.")
    gaps = serializers.IntegerField()
    missing = serializers.IntegerField()
    seconds = serializers.FloatField()
    results = GapSerializer(many=True, help_text="Newest first, at most 1,000.")


def span(query: dict[str, Any], longest: timedelta) -> tuple[datetime, datetime]:
    """The window that a query asks for. Raises ValidationError."""
    end = query.get("end") or timezone.now()
    start = query.get("start") or end - DAY
    if start >= end:
        raise ValidationError({"start": [_("This is not before the end.")]})
    if end - start > longest:
        raise ValidationError({"start": [_("At most %(days)d days at once.") % {"days": longest.days}]})
    return start, end


def shown(devices: Collection[int], query: dict[str, Any]) -> dict[str, Any]:
    """The books of these devices together."""
    by = query.get("by", "hour")
    start, end = span(query, LONGEST[by])
    steps = ledger.by_step(devices, since=start, until=end, by=by)
    whole = ledger.Counts(*map(sum, zip(*(counts for _at, counts in steps), strict=True))) if steps else ledger.Counts()
    results = [{"at": at, **CountsSerializer(counts).data} for at, counts in steps]
    return {**CountsSerializer(whole).data, "start": start, "end": end, "results": results}


class LedgerView(TenantEndpoint):
    """The books of all the tenant's devices together."""

    resource = "devices"

    @extend_schema(parameters=[LedgerQuery], responses=LedgerAnswer, operation_id="ledger")
    def get(self, request: Request) -> Response:
        mine = Device.objects.for_tenant(self.tenant).values_list("pk", flat=True)
        return Response(shown(list(mine), self.query(LedgerQuery)))


class DeviceLedgerView(DeviceEndpoint):
    """The books of one device."""

    @extend_schema(parameters=[LedgerQuery], responses=LedgerAnswer, operation_id="devices_ledger")
    def get(self, request: Request, key: str) -> Response:
        return Response(shown([self.device.pk], self.query(LedgerQuery)))


class GapsView(DeviceEndpoint):
    """Silences of a device that is expected to come: from its thing model's `period`, else from its own rhythm."""

    @extend_schema(parameters=[WindowQuery], responses=GapsAnswer, operation_id="devices_gaps")
    def get(self, request: Request, key: str) -> Response:
        start, end = span(self.query(WindowQuery), timedelta(days=31))
        period, found = gaps.of_device(self.device, start, end)
        sums = gaps.of_devices({self.device.pk: period}, start, end).get(self.device.pk, gaps.Missing()) if period else gaps.Missing()
        rhythm = {"period": period.seconds if period else None, "learnt": bool(period and period.source == "learnt")}
        return Response({**rhythm, **sums._asdict(), "results": [gap._asdict() for gap in found]})
