"""Lists by cursor: `{"results": [...], "next": <cursor or null>}`, newest first, `order=at` turns it.

A cursor names the last row that was given, so that rows which come or go meanwhile shift nothing.
"""

import base64
import binascii
from typing import Any

import orjson
from django.core.exceptions import ValidationError
from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext as _
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from .errors import ApiError

DEFAULT_LIMIT, MAX_LIMIT = 100, 500


def read_limit(request: Request, default: int = DEFAULT_LIMIT, most: int = MAX_LIMIT) -> int:
    """`limit=`, at most `most`; raises ApiError where it is no positive number."""
    text = request.query_params.get("limit", "") or str(default)
    if not text.isascii() or not text.isdigit() or len(text) > 9 or int(text) < 1:
        raise ApiError("invalid", _("limit: give a number from 1 to %(most)s.") % {"most": most}, {"limit": [text]})
    return min(int(text), most)


def read_order(request: Request) -> bool:
    """Whether the oldest come first (`order=at`); raises ApiError for any other word."""
    order = request.query_params.get("order", "")
    if order not in ("", "at", "-at"):
        raise ApiError("invalid", _("order: give “at” for the oldest first, or leave it out."), {"order": [order]})
    return order == "at"


def encode_cursor(*parts: Any) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(parts)).decode().rstrip("=")


def decode_cursor(text: str) -> list[Any]:
    """The parts of a cursor; raises ApiError for one that we did not make."""
    try:
        parts = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (binascii.Error, ValueError) as error:
        raise bad_cursor() from error
    if not isinstance(parts, list):
        raise bad_cursor()
    return parts


def bad_cursor() -> ApiError:
    return ApiError("invalid", _("cursor: give what “next” held, as it was."), {"cursor": [_("Not one of ours.")]})


class CursorPagination(BasePagination):
    """By `view.cursor_field` (the creation by default, which is the order of ids) and then by id."""

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        self.field: str = getattr(view, "cursor_field", "pk")
        self.oldest_first = read_order(request)
        limit = read_limit(request)
        rows = list(self._after(queryset, request.query_params.get("cursor", ""))[: limit + 1])
        self.next = self._cursor(rows[limit - 1]) if len(rows) > limit else None
        return rows[:limit]

    def _after(self, queryset: QuerySet[Any], cursor: str) -> QuerySet[Any]:
        sign = "" if self.oldest_first else "-"
        ordered = queryset.order_by(f"{sign}{self.field}", f"{sign}pk")
        if not cursor:
            return ordered
        parts = decode_cursor(cursor)
        if len(parts) != 2 or not isinstance(parts[1], int) or isinstance(parts[1], bool):
            raise bad_cursor()
        way = "gt" if self.oldest_first else "lt"
        try:
            return ordered.filter(Q(**{f"{self.field}__{way}": parts[0]}) | Q(**{self.field: parts[0], f"pk__{way}": parts[1]}))
        except (ValueError, TypeError, ValidationError) as error:
            raise bad_cursor() from error

    def _cursor(self, row: Model) -> str:
        value = row.pk if self.field == "pk" else getattr(row, self.field).isoformat()
        return encode_cursor(value, row.pk)

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"results": data, "next": self.next})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return page_schema(schema)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        return [
            _parameter("cursor", {"type": "string"}, "What `next` held in the page before."),
            _parameter("limit", {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}, "How many at most."),
            _parameter("order", {"type": "string", "enum": ["at", "-at"]}, "`at`: the oldest first."),
        ]


def page_schema(schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["results", "next"],
        "properties": {"results": schema, "next": {"type": "string", "nullable": True, "description": "The next page's cursor."}},
    }


def _parameter(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": description}
