"""JSON in and out by orjson: fast, strict (no NaN, no lone surrogates, bounded depth), and small on the wire."""

import datetime
import json
from collections.abc import Iterable, Mapping
from typing import IO, Any

import orjson
from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError, ValidationError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer

from .errors import TooLarge

MAX_BODY = 4 * 1024 * 1024


class JsonParser(BaseParser):
    """Bodies of at most `MAX_BODY` bytes. PostgreSQL takes no `\\u0000`, so we say it here, with the reason."""

    media_type = "application/json"

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        raw = stream.read(MAX_BODY + 1)
        if len(raw) > MAX_BODY:
            raise TooLarge("too_large", _("The body is too large."))
        try:
            data = orjson.loads(raw)
        except orjson.JSONDecodeError as error:
            raise ParseError(_("This is not JSON: %(reason)s") % {"reason": error}) from error
        if rb"\u0000" in raw:
            refuse_nul(data)
        return data


def refuse_nul(data: Any) -> None:
    """Raises an error that names the field where there are fields."""
    told = _("Text may not hold the character U+0000.")
    if isinstance(data, dict) and (fields := [key for key, value in data.items() if "\0" not in key and holds_nul(value)]):
        raise ValidationError({field: [told] for field in fields})
    if holds_nul(data):
        raise ParseError(told)


def holds_nul(data: Any) -> bool:
    """Whether any text in a JSON value holds U+0000, which PostgreSQL refuses."""
    if isinstance(data, str):
        return "\0" in data
    if isinstance(data, dict):
        return any(holds_nul(key) or holds_nul(value) for key, value in data.items())
    return isinstance(data, list) and any(holds_nul(entry) for entry in data)


class JsonRenderer(BaseRenderer):
    media_type = "application/json"
    format = "json"
    charset = None

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None) -> bytes:
        if data is None:
            return b""
        try:
            return orjson.dumps(data, default=_plain, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_PASSTHROUGH_DATETIME)
        except TypeError:  # an integer beyond 64 bits, which JSON has and orjson has not
            return json.dumps(data, default=_plain, ensure_ascii=False, allow_nan=False).encode()


def _plain(value: Any) -> Any:
    """What orjson does not know: instants as DRF writes them, lazy texts."""
    if isinstance(value, datetime.datetime):
        return value.isoformat().replace("+00:00", "Z")
    return str(value)


class AlwaysJson(BaseContentNegotiation):
    """The API speaks JSON, whatever a browser says that it would like."""

    def select_parser(self, request: Any, parsers: Iterable[Any]) -> Any:
        wanted = (request.content_type or "application/json").split(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type in (wanted, "*/*")), None)

    def select_renderer(self, request: Any, renderers: Iterable[Any], format_suffix: str | None = None) -> Any:
        first = next(iter(renderers))
        return first, first.media_type
