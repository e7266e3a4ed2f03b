"""Where a request comes from, as far as it can be believed."""

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """The client's IP address. Of `X-Forwarded-For` only the entries that our own proxies wrote count (TRUSTED_PROXIES)."""
    direct = str(request.META.get("REMOTE_ADDR") or "")
    forwarded = [entry.strip() for entry in request.headers.get("x-forwarded-for", "").split(",") if entry.strip()]
    if not settings.TRUSTED_PROXIES or not forwarded:
        return direct
    return forwarded[-min(settings.TRUSTED_PROXIES, len(forwarded))]
