"""Newest values, events, attributes and raw frames of one device."""

import datetime
from collections.abc import Sequence
from typing import Any

import orjson
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from devices.api.base import DeviceEndpoint
from iotpanel.api.pagination import bad_cursor, decode_cursor, encode_cursor, read_limit, read_order
from iotpanel.api.schema import LISTING, page_of
from telemetry import attributes, frames, latest
from telemetry.models import Event
from telemetry.models.attribute import Attribute, Scope

from .budget import fitting, octets
from .fields import microseconds, milliseconds
from .serializers import AttributesPatch, AttributesSerializer, EventQuery, EventSerializer, LatestQuery, RawFrameSerializer

LATEST = {
    "type": "object",
    "additionalProperties": {
        "type": "object",
        "required": ["value", "ts"],
        "properties": {"value": {"nullable": True}, "ts": {"type": "number", "description": "Milliseconds since 1970."}},
    },
}
MAX_ATTRIBUTES, MAX_NAME, MAX_BYTES = 1_000, 64, 64 * 1024


class LatestView(DeviceEndpoint):
    """The newest value of each property."""

    @extend_schema(parameters=[LatestQuery], responses={200: LATEST}, operation_id="devices_latest")
    def get(self, request: Request, key: str) -> Response:
        wanted = self.query(LatestQuery).get("property")
        found = latest.read([self.device.pk], wanted or None).get(self.device.pk, {})
        return Response({name: {"value": value, "ts": milliseconds(at)} for name, (value, at) in sorted(found.items())})


class EventsView(DeviceEndpoint):
    """Events by time, newest first."""

    @extend_schema(parameters=[EventQuery, *LISTING], responses={200: page_of(EventSerializer)}, operation_id="devices_events")
    def get(self, request: Request, key: str) -> Response:
        query, limit, oldest_first = self.query(EventQuery), read_limit(request), read_order(request)
        events = Event.objects.filter(device_id=self.device.pk)
        for name, lookup in (("name", "name"), ("start", "at__gte"), ("end", "at__lt")):
            if name in query:
                events = events.filter(**{lookup: query[name]})
        ordered = _ordered(events, oldest_first, request.query_params.get("cursor", ""))
        rows = list(ordered.defer("params").annotate(size=octets("params", is_json=True))[: limit + 1])
        kept = fitting(rows[:limit])
        following = _cursor(kept[-1]) if len(kept) < len(rows) else None
        return Response({"results": [_event(row) for row in _whole(kept)], "next": following})


def _whole(rows: Sequence[Event]) -> list[Event]:
    """The same events with their parameters, in the same order."""
    found = {event.pk: event for event in Event.objects.filter(pk__in=[row.pk for row in rows])} if rows else {}
    return [found[row.pk] for row in rows if row.pk in found]


def _ordered(events: QuerySet[Event], oldest_first: bool, cursor: str) -> QuerySet[Event]:
    """By time, then name and digest, from behind the cursor on."""
    sign, way = ("", "gt") if oldest_first else ("-", "lt")
    ordered = events.order_by(f"{sign}at", f"{sign}name", f"{sign}digest")
    if not cursor:
        return ordered
    try:
        at_text, name, digest_hex = decode_cursor(cursor)
        at, digest = datetime.datetime.fromisoformat(at_text), bytes.fromhex(digest_hex)
        if at.tzinfo is None or not isinstance(name, str):
            raise bad_cursor()
    except (ValueError, TypeError) as error:
        raise bad_cursor() from error
    behind = Q(**{f"at__{way}": at}) | Q(at=at, **{f"name__{way}": name}) | Q(at=at, name=name, **{f"digest__{way}": digest})
    return ordered.filter(behind)


def _cursor(event: Event) -> str:
    return encode_cursor(event.at.isoformat(), event.name, bytes(event.digest).hex())


def _event(event: Event) -> dict[str, Any]:
    return {
        "name": event.name,
        "ts": milliseconds(microseconds(event.at)),
        "params": event.params,
        "received_at": event.received_at,
    }


class AttributesView(DeviceEndpoint):
    """What changes rarely: reported by the device, or set here, for us alone (`server`) or for the device too (`shared`)."""

    @extend_schema(responses=AttributesSerializer, operation_id="devices_attributes")
    def get(self, request: Request, key: str) -> Response:
        return Response(self._shown())

    @extend_schema(request=AttributesPatch, responses=AttributesSerializer, operation_id="devices_attributes_set")
    def patch(self, request: Request, key: str) -> Response:
        given = self.validated(AttributesPatch, request.data)
        with transaction.atomic():
            for scope in given:
                _check(scope, given[scope])
                attributes.set_server(self.device, scope=Scope(scope), values=given[scope])
            self._refuse_too_many()
        return Response(self._shown())

    def _shown(self) -> dict[str, Any]:
        found = attributes.read(self.device.pk)
        values: dict[str, Any] = {scope: {name: value for name, (value, _at) in entries.items()} for scope, entries in found.items()}
        return {**values, "ts": {scope: {name: milliseconds(at) for name, (_value, at) in each.items()} for scope, each in found.items()}}

    def _refuse_too_many(self) -> None:
        if Attribute.objects.filter(device=self.device).exclude(scope=Scope.REPORTED).count() > MAX_ATTRIBUTES:
            raise ValidationError({"server": [_("A device has at most %(limit)d attributes.") % {"limit": MAX_ATTRIBUTES}]})


def _check(scope: str, values: dict[str, Any]) -> None:
    """Raises ValidationError for a name that is no name, and for values beyond bounds."""
    if any(not name or len(name) > MAX_NAME or not name.isprintable() for name in values):
        raise ValidationError({scope: [_("An attribute's name has 1 to %(limit)d printable characters.") % {"limit": MAX_NAME}]})
    if len(orjson.dumps(values)) > MAX_BYTES:
        raise ValidationError({scope: [_("At most %(limit)d bytes.") % {"limit": MAX_BYTES}]})


class FramesView(DeviceEndpoint):
    """The newest raw messages as bytes, at most 500. They are recorded for a minute from each call of this on."""

    @extend_schema(
        parameters=[OpenApiParameter("limit", {"type": "integer", "minimum": 1, "maximum": 500, "default": 100})],
        responses={200: page_of(RawFrameSerializer)},
        operation_id="devices_frames",
    )
    def get(self, request: Request, key: str) -> Response:
        limit = read_limit(request)
        frames.watch(self.device)
        return Response({"results": frames.newest(self.device, limit), "next": None})
