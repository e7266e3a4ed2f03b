"""Which addresses we may connect to: those of the public internet, and the networks that the operator allowed.

A name is resolved once, and the connection goes to the very address that was judged, so that a name which answers
differently the second time (rebinding) gains nothing. Decimal, octal and hexadecimal spellings are resolved as the
system would, and judged like any other.
"""

import ipaddress
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from .errors import Down

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
NAT64 = ipaddress.ip_network("64:ff9b::/96")
NEVER = [ipaddress.ip_network(each) for each in ("0.0.0.0/8", "::/128", "255.255.255.255/32")]
OWN = ["127.0.0.1", "::1"]


class Forbidden(Down):
    """This address is not for us to reach. It is a fault of the settings, and goes away when they or the allowed networks change."""


def resolve(host: str, port: int) -> list[str]:
    """The allowed addresses of a host, in the system's order. Raises Forbidden where it has others only, Down where it has none."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Down(_("The name %(host)s is not known (%(error)s).") % {"host": host[:200], "error": error}) from error
    return _allowed(host, list(dict.fromkeys(str(entry[4][0]) for entry in found)))


def _allowed(host: str, addresses: list[str]) -> list[str]:
    """Those of a host's addresses that are for us. Raises Forbidden where none is."""
    allowed = [address for address in addresses if is_allowed(address)]
    if not allowed:
        raise Forbidden(
            _("%(host)s is at %(address)s, which is no public address. The operator can allow its network: IOTPANEL_ALLOWED_NETWORKS.")
            % {"host": host[:200], "address": addresses[0]}
        )
    return allowed


def judge(text: str) -> None:
    """Judge the hosts of a setting (a URL, a host, or places such as `host:port` with commas) as far as nobody need be asked.

    These are addresses in numbers and names of this machine; what other names resolve to is judged when we connect, since
    it may change. Raises Forbidden.
    """
    for place in [text] if "://" in text else text.split(","):
        host = host_of(place)
        spelled = OWN if is_own(host) else [numeric] if (numeric := numeric_of(host)) else []
        if spelled:
            _allowed(host, spelled)


def host_of(place: str) -> str:
    """The host of a URL, or of `host:port`; empty where it is none."""
    if numeric_of(place):  # of IPv6, whose colons are not before a port
        return place
    try:
        return urlsplit(place if "://" in place else f"//{place}").hostname or ""
    except ValueError:
        return ""


def is_own(host: str) -> bool:
    """Whether this is a name that means the machine itself, everywhere (RFC 6761)."""
    name = host.rstrip(".").lower()
    return name == "localhost" or name.endswith(".localhost")


def numeric_of(host: str) -> str:
    """The address that a host spells in numbers, in whatever notation; empty for a name. Asks no name server."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except (OSError, UnicodeError, ValueError):
        return ""
    return str(found[0][4][0])


def pinned(host: str, port: int) -> str:
    """The one address of a host to connect to. Raises Forbidden, Down."""
    return resolve(host, port)[0]


def is_allowed(text: str) -> bool:
    """Whether this numeric address is public, or in a network that the operator allowed."""
    address = ipaddress.ip_address(text.partition("%")[0])
    return all(_is_allowed(each) for each in _meanings(address))


def _meanings(address: Address) -> Iterator[Address]:
    """The address, or the IPv4 addresses that it is another spelling of."""
    inner: list[Address] = []
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            inner = [address.ipv4_mapped]
        elif address.sixtofour:
            inner = [address.sixtofour]
        elif address.teredo:
            inner = [*address.teredo]
        elif address in NAT64:
            inner = [ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)]
    yield from inner or [address]


def _is_allowed(address: Address) -> bool:
    if any(address in network for network in NEVER if network.version == address.version):
        return False
    if any(address in network for network in networks() if network.version == address.version):
        return True
    return address.is_global and not address.is_multicast and not address.is_reserved


def networks() -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """The networks that the operator allowed beyond the public internet."""
    return [ipaddress.ip_network(text.strip(), strict=False) for text in settings.ALLOWED_NETWORKS]
