"""Signed requests: the secret never travels, and a request that was overheard cannot be sent again.

`sig` is HMAC-SHA256 (hex) with the key's signing secret over these lines, joined by newlines: the method, the path,
the query's `name=value` pairs as sent, sorted and joined by `&`, the SHA-256 (hex) of the body, `ts`, `nonce`.
"""

import hashlib
import hmac
import re
import time

from django.core.cache import cache
from django.http import HttpRequest
from django.utils.encoding import escape_uri_path
from django.utils.translation import gettext as _
from rest_framework.exceptions import AuthenticationFailed

from iotpanel.api.errors import TooLarge, Unavailable
from iotpanel.api.json import MAX_BODY
from iotpanel.tenants import api_keys
from iotpanel.tenants.models import ApiKey

WINDOW = 300  # seconds that a request's time may be off, either way
NONCE = re.compile(r"[A-Za-z0-9_.~+/=-]{8,128}\Z")
_PARTS = ("id", "ts", "nonce", "sig")
_SECONDS_END = 100_000_000_000  # below this `ts` is seconds, above it milliseconds


def verify(request: HttpRequest, header: bytes) -> ApiKey:
    """The API key that signed this request; raises AuthenticationFailed, and Unavailable where nonces can't be kept."""
    parts = parse_header(header)
    if abs(time.time() - _seconds(parts["ts"])) > WINDOW:
        raise AuthenticationFailed(_("The request's time is more than %(seconds)s seconds off.") % {"seconds": WINDOW})
    if not NONCE.match(parts["nonce"]):
        raise AuthenticationFailed(_("A nonce has 8 to 128 letters, digits or “_.~+/=-”."))
    api_key = api_keys.find_by_prefix(parts["id"])
    if api_key is None or not _matches(request, api_key, parts):
        raise AuthenticationFailed(_("The signature does not match."))
    _use_once(api_key, parts["nonce"])
    return api_key


def parse_header(header: bytes) -> dict[str, str]:
    """`HMAC id=..., ts=..., nonce=..., sig=...` as a dict of these four; raises AuthenticationFailed."""
    text = header.decode("latin-1").partition(" ")[2]
    pairs = [entry.strip().partition("=") for entry in text.split(",")]
    parts = {name.strip(): value.strip().strip('"') for name, _equals, value in pairs}
    if sorted(parts) != sorted(_PARTS) or len(pairs) != len(_PARTS) or not all(parts.values()):
        raise AuthenticationFailed(_("A signed request has id, ts, nonce and sig."))
    return parts


def text_to_sign(method: str, path: str, query: str, body: bytes, ts: str, nonce: str) -> bytes:
    """What `sig` is made over; `path` and `query` as they are sent, percent signs and all."""
    sorted_query = "&".join(sorted(pair for pair in query.split("&") if pair))
    return "\n".join([method.upper(), path, sorted_query, hashlib.sha256(body).hexdigest(), ts, nonce]).encode()


def sign(secret: str, text: bytes) -> str:
    return hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()


def _seconds(ts: str) -> float:
    if not ts.isascii() or not ts.isdigit() or len(ts) > 14:
        raise AuthenticationFailed(_("“ts” is milliseconds since 1970."))
    return int(ts) if int(ts) < _SECONDS_END else int(ts) / 1000


def _matches(request: HttpRequest, api_key: ApiKey, parts: dict[str, str]) -> bool:
    query = request.META.get("QUERY_STRING", "")
    text = text_to_sign(request.method or "", path_as_sent(request), query, _body(request), parts["ts"], parts["nonce"])
    expected = sign(api_keys.signing_secret(api_key), text)
    return hmac.compare_digest(expected.encode(), parts["sig"].lower().encode("latin-1"))


def path_as_sent(request: HttpRequest) -> str:
    """With the percent signs that the client wrote, where the server tells; Django's own way of writing it otherwise."""
    raw = getattr(request, "scope", {}).get("raw_path")
    return bytes(raw).decode("latin-1").partition("?")[0] if raw else escape_uri_path(request.path)


def _body(request: HttpRequest) -> bytes:
    if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_BODY:
        raise TooLarge("too_large", _("The body is too large."))
    return request.body


def _use_once(api_key: ApiKey, nonce: str) -> None:
    """Remembers the nonce for as long as its request could be repeated; raises where it was used."""
    try:
        fresh = cache.add(f"nonce:{api_key.pk}:{hashlib.sha256(nonce.encode()).hexdigest()}", 1, timeout=2 * WINDOW + 1)
    except Exception as error:  # any client's error: without memory a repeated request would pass, so none does
        raise Unavailable(_("Signed requests cannot be checked right now.")) from error
    if not fresh:
        raise AuthenticationFailed(_("This nonce was used before."))
