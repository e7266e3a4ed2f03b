"""The web's address as devices reach it, for addresses that are sent to them when nobody asks by HTTP."""

import socket

from django.conf import settings

# Nothing is sent: connecting a datagram socket only asks the kernel which of our addresses it would use.
OUTSIDE = ("192.0.2.1", 9)
EVERYWHERE = {"0.0.0.0", "::", "[::]"}  # noqa: S104 - compared with, not bound to
ANY_NAME = "*"


def web_address() -> str:
    """Without a slash at its end: what the settings say, else the host that MQTT has, the first allowed name, our own address."""
    if settings.PUBLIC_URL:
        return str(settings.PUBLIC_URL).rstrip("/")
    if settings.HTTPS:
        return f"https://{_name()}"
    return f"http://{_name()}:{settings.PORT}"


def _name() -> str:
    if settings.MQTT_HOST:
        return str(settings.MQTT_HOST)
    named = next((host.lstrip(".") for host in settings.ALLOWED_HOSTS if host not in (ANY_NAME, "localhost", "127.0.0.1", "[::1]")), "")
    if named:
        return named
    return own_address() if settings.BIND in EVERYWHERE else str(settings.BIND)


def own_address() -> str:
    """This machine's address in its network; 127.0.0.1 where it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(OUTSIDE)
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"
