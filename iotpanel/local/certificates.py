"""``make certificates``: the broker's certificate for every name it is reached by, signed by a root of our own.

Its presence switches MQTT over TLS on. A certificate that somebody else's authority signed is never touched.
"""

import os
import re
import signal
import socket
from collections.abc import Iterable, Mapping, Sequence
from ipaddress import ip_address
from pathlib import Path

from iotpanel.local import authority, lock
from iotpanel.local.config import Config, from_environment
from iotpanel.local.home import Home, write_private
from iotpanel.local.say import Trouble, say

ROOT_NAME = "iotpanel root"
# Nothing is sent: connecting a datagram socket only asks the kernel which of our addresses it would use.
OUTSIDE = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
HOST = re.compile(rf"{LABEL}(\.{LABEL})*\.?")


def certificates(arguments: Sequence[str]) -> int:
    """Make or renew the broker's certificate; arguments are further names that devices use. Says what it is for."""
    config = from_environment()
    ensure(config.home, [*arguments, *reachable(config)], anew=True)
    server = authority.load(config.home.tls / "server.pem")
    say(f"the broker's certificate is for {', '.join(sorted(authority.names_of(server)))}")
    say(f"it ends on {server.not_valid_after_utc:%Y-%m-%d}; devices trust {config.home.tls / 'ca.pem'}")
    tell_broker(config.home)
    return 0


def ensure(home: Home, names: Iterable[str], *, anew: bool = False) -> None:
    """Where we made the certificate: renew it before it ends, or with `anew` in any case. Raises Trouble for a bad name."""
    file = home.tls / "server.pem"
    if not file.exists() and not anew:
        return
    wanted = sorted({checked(name) for name in names}, key=lambda name: (name == "localhost" or ":" in name, name))
    home.tls.mkdir(exist_ok=True, mode=0o700)
    if file.exists() and not is_ours(home):
        if anew:
            raise Trouble(f"{file} was signed by somebody else: move it away, so that we make our own")
        return
    kept = authority.names_of(authority.load(file)) if file.exists() else set()
    if not anew and not authority.ends_soon(authority.load(file)):
        return
    ours = authority.root(home.tls, "ca", ROOT_NAME)
    made, key = authority.issue_server(ours, [*wanted, *sorted(kept - set(wanted))] if not anew else wanted)
    write_private(home.tls / "server.key", authority.private_text(key))
    write_private(file, authority.text_of(made, ours[0]))


def is_ours(home: Home) -> bool:
    """Whether our root signed the broker's certificate."""
    root = home.tls / "ca.pem"
    return root.exists() and authority.is_signed_by(authority.load(home.tls / "server.pem"), authority.load(root))


def checked(name: str) -> str:
    if not is_name(name):
        raise Trouble(f"{name!r} is neither a host name nor an address")
    return name.rstrip(".").lower()


def is_name(text: str) -> bool:
    """Whether this is a host name or an address."""
    try:
        ip_address(text)
    except ValueError:
        return HOST.fullmatch(text) is not None and len(text) <= 253
    return True


def reachable(config: Config, environ: Mapping[str, str] = os.environ) -> list[str]:
    """Every name by which this machine may be called, as far as it knows by itself."""
    told = [name.strip() for name in environ.get("IOTPANEL_ALLOWED_HOSTS", "").split(",")]
    found = [config.mqtt_host, *told, socket.gethostname(), *own_addresses(), "localhost", "127.0.0.1", "::1"]
    return [name for name in dict.fromkeys(found) if is_name(name)]


def own_addresses() -> list[str]:
    """The addresses that this machine would use towards its network."""
    found = []
    for family, outside in OUTSIDE:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect((outside, 9))
                found.append(str(probe.getsockname()[0]))
            except OSError:
                continue
    return found


def tell_broker(home: Home) -> None:
    """A broker that has the listener already reads a new certificate at once; one that has none opens it at its next start."""
    if not lock.is_held(home):
        say("MQTT over TLS is on from the next start on")
        return
    settings, pid = home.broker / "mosquitto.conf", home.pid_file("mosquitto")
    if pid.exists() and str(home.tls / "server.pem") in settings.read_text():
        os.kill(int(pid.read_text()), signal.SIGHUP)
        say("the running broker uses it from now on")
    else:
        say("restart iotpanel, so that it opens the TLS listeners")


def is_on(home: Home) -> bool:
    """Whether there is a certificate, which switches TLS on."""
    return all(Path(home.tls / name).exists() for name in ("server.pem", "server.key"))
