"""Where devices reach us, as the Connect page and the admin say it."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _

from devices.hosts import own_address

from .snippets import Endpoint

LOOPBACK_NAMES = {"localhost", "127.0.0.1", "[::1]", "::1"}


def endpoint_of(request: HttpRequest) -> Endpoint:
    """What the settings say; else the name by which this browser found us, unless only this machine understands it."""
    name = _host_of(request)
    host = settings.MQTT_HOST or (own_address() if is_loopback(name) and not only_here() else name)
    web = request.build_absolute_uri("/").rstrip("/")
    return Endpoint(host.strip("[]"), settings.MQTT_PORT, web.replace(name, host, 1) if is_loopback(name) else web)


def further_doors(endpoint: Endpoint) -> list[tuple[str, str]]:
    """The broker's other addresses, where they are open, with what each is called."""
    host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
    known = [
        (_("MQTT over TLS"), "mqtts", settings.MQTTS_PORT, ""),
        (_("MQTT over WebSocket"), "ws", settings.MQTT_WS_PORT, "/mqtt"),
        (_("MQTT over WebSocket with TLS"), "wss", settings.MQTT_WSS_PORT, "/mqtt"),
        (_("MQTT over TLS, by certificate"), "mqtts", settings.MQTT_CERT_PORT, ""),
    ]
    return [(name, f"{scheme}://{host}:{port}{path}") for name, scheme, port, path in known if port]


def only_here() -> bool:
    """Whether only programs on this machine can connect."""
    return not settings.MQTT_HOST and is_loopback(settings.BIND)


def is_loopback(name: str) -> bool:
    """Whether the name means the machine that says it."""
    if name in LOOPBACK_NAMES:
        return True
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False


def _host_of(request: HttpRequest) -> str:
    """The request's host without its port; brackets of an IPv6 address stay."""
    host = request.get_host()
    return host if host.endswith("]") else host.rsplit(":", 1)[0] if ":" in host else host
