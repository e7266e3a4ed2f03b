"""History of one device: raw readings or buckets, as JSON by pages or as CSV in one stream."""

from collections.abc import Callable
from typing import Any

from django.http import HttpResponseBase
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from devices.api.base import DeviceEndpoint
from iotpanel.api.fields import InstantField
from iotpanel.api.pagination import read_limit, read_order
from iotpanel.api.schema import LISTING
from iotpanel.api.streaming import stream_csv
from telemetry import history

from .fields import microseconds, milliseconds

MAX_LIMIT = 10_000
MAX_BUCKETED = 20  # properties; each costs a page of buckets
AGGREGATES = ["avg", "min", "max", "sum", "count", "first", "last", "delta"]
Pages = Callable[[int, str | None], history.Page[Any]]


class ReadingsQuery(serializers.Serializer[Any]):
    property = serializers.ListField(
        child=serializers.CharField(max_length=256),
        required=False,
        max_length=100,
        help_text="Repeatable; left out: all, where they are raw.",
    )
    start = InstantField(required=False, help_text="From this time on; ISO 8601 with zone, or milliseconds.")
    end = InstantField(required=False, help_text="Up to, and not including, this time.")
    bucket = serializers.RegexField(r"^\d{1,4}(s|min|m|h|d|w|mo|y)$", required=False, help_text="Such as 5m, 1h, 1d, 1mo.")
    aggregate = serializers.ChoiceField(AGGREGATES, required=False, help_text="Left out: `avg` for numbers, `last` for the rest.")
    tz = serializers.CharField(max_length=64, required=False, help_text="Where days begin, such as Europe/Berlin; left out: UTC.")
    fill = serializers.ChoiceField(
        ["null", "previous", "linear"], required=False, help_text="What empty buckets hold; left out: they are left out."
    )
    format = serializers.ChoiceField(["json", "csv"], required=False)


class ReadingSerializer(serializers.Serializer[Any]):
    property = serializers.CharField()
    ts = serializers.FloatField(help_text="Milliseconds since 1970; of a bucket, where it begins.")
    value = serializers.JSONField(allow_null=True)
    count = serializers.IntegerField(required=False, help_text="How many readings the bucket holds.")


class ReadingsPage(serializers.Serializer[Any]):
    results = ReadingSerializer(many=True)
    next = serializers.CharField(allow_null=True, help_text="The next page's cursor.")
    source = serializers.ChoiceField(["raw", "minute", "hour", "day"], help_text="What it was read from.")  # type: ignore[assignment]


class ReadingsView(DeviceEndpoint):
    """Raw readings, newest first; with `bucket` one value for each stretch of time; with `format=csv` all of it as a file."""

    @extend_schema(
        parameters=[ReadingsQuery, *LISTING],
        responses={(200, "application/json"): ReadingsPage, (200, "text/csv"): OpenApiResponse({"type": "string"})},
        operation_id="devices_readings",
    )
    def get(self, request: Request, key: str) -> HttpResponseBase:
        query = self.query(ReadingsQuery)
        limit, newest_first = read_limit(request, most=MAX_LIMIT), not read_order(request)
        pages = self._pages(query, newest_first)
        if query.get("format") != "csv":
            return Response(_shown(pages(limit, request.query_params.get("cursor") or None), "bucket" in query))
        pages(1, None)  # what is wrong with the question is said before the first line
        lines = history.csv_lines(self.device.key, pages, limit if "limit" in request.query_params else None)
        return stream_csv(request._request, lines, f"{self.device.key}-readings.csv")

    def handle_exception(self, exc: Exception) -> Any:
        if isinstance(exc, history.HistoryError):
            exc = ValidationError({exc.field: [exc.message]})
        return super().handle_exception(exc)

    def _pages(self, query: dict[str, Any], newest_first: bool) -> Pages:
        names = query.get("property") or []
        span: dict[str, Any] = {name: microseconds(query[name]) for name in ("start", "end") if name in query}
        device_id = self.device.pk
        if "bucket" not in query:
            if lost := [name for name in ("aggregate", "fill") if name in query]:
                raise ValidationError({name: [_("This needs a bucket.")] for name in lost})
            return lambda limit, cursor: history.raw(
                device_id, properties=names, newest_first=newest_first, limit=limit, cursor=cursor, **span
            )
        if len(names) > MAX_BUCKETED:
            raise ValidationError({"property": [_("At most %(limit)d at once in buckets.") % {"limit": MAX_BUCKETED}]})
        how = {name: query[name] for name in ("bucket", "aggregate", "tz", "fill") if name in query}
        return lambda limit, cursor: history.buckets(
            device_id, properties=names, newest_first=newest_first, limit=limit, cursor=cursor, **span, **how
        )


def _shown(page: history.Page[Any], bucketed: bool) -> dict[str, Any]:
    rows = [{"property": row.property, "ts": milliseconds(row.at), "value": row.value} for row in page.results]
    if bucketed:
        rows = [{**row, "count": bucket.count} for row, bucket in zip(rows, page.results, strict=True)]
    return {"results": rows, "next": page.next, "source": page.source}
