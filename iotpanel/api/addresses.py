"""Where a request comes from, as far as it can be believed."""

from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """The client's IP address; empty where there is none, as on a Unix socket.

    Of `X-Forwarded-For` only the entries that our own proxies wrote count (TRUSTED_PROXIES): a client writes there what it likes.
    """
    forwarded = [entry.strip() for entry in request.headers.get("x-forwarded-for", "").split(",") if entry.strip()]
    if settings.TRUSTED_PROXIES and forwarded:
        return _valid(forwarded[-min(settings.TRUSTED_PROXIES, len(forwarded))])
    return _valid(str(request.META.get("REMOTE_ADDR") or ""))


def _valid(text: str) -> str:
    """The address without its port, in one way of writing it; empty for what is none."""
    host = text[1:].partition("]")[0] if text.startswith("[") else text.partition(":")[0] if text.count(":") == 1 else text
    try:
        return str(ip_address(host.partition("%")[0]))
    except ValueError:
        return ""
