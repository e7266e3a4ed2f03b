"""The devices' further doors at the embedded broker: MQTT over TLS, over WebSocket, over both."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from iotpanel.local import certificates, device_authority
from iotpanel.local.config import FURTHER_PORTS as SETTING
from iotpanel.local.config import Config
from iotpanel.local.ports import demand_free, is_taken
from iotpanel.local.say import Trouble, say

USUAL = {"mqtts": 8883, "wss": 8084, "cert": 8885}  # where there is a certificate; plain WebSocket has to be asked for
WORDS = {
    "mqtts": "MQTT over TLS",
    "ws": "MQTT over WebSocket",
    "wss": "MQTT over WebSocket with TLS",
    "cert": "MQTT over TLS for devices with a certificate",
}


@dataclass(frozen=True)
class Listeners:
    """The ports that are open; 0 is closed. `tls` is the folder of the certificate."""

    tls: Path
    mqtts: int = 0
    ws: int = 0
    wss: int = 0
    cert: int = 0

    @property
    def open(self) -> dict[str, int]:
        return {name: port for name in SETTING if (port := getattr(self, name))}

    def environment(self) -> dict[str, str]:
        """What the application is told, so that the pages name the doors that are open."""
        return {SETTING[name]: str(getattr(self, name)) for name in SETTING}

    @property
    def secrets(self) -> Path:
        return self.tls.parent / "secrets"

    @property
    def revoked(self) -> Path:
        """The list of revoked certificates, which the uplink worker keeps."""
        return self.tls.parent / "broker" / device_authority.REVOKED

    def prepare(self) -> None:
        """What the door for certificates needs, before the broker starts."""
        if self.cert:
            device_authority.begin_list(self.revoked, device_authority.ensure(self.secrets))

    def settings(self, bind: str) -> str:
        """Lines of mosquitto.conf."""
        return "".join(f"\n# {WORDS[name]}.\n" + "".join(f"{line}\n" for line in self._lines(name, bind)) for name in self.open)

    def _lines(self, name: str, bind: str) -> Iterator[str]:
        yield f"listener {getattr(self, name)} {bind}"
        yield "use_username_as_clientid true"
        if name in {"ws", "wss"}:
            yield "protocol websockets"
        if name != "ws":
            yield f"certfile {self.tls}/server.pem"
            yield f"keyfile {self.tls}/server.key"
            # And newer. By certificate from 1.3 on: there alone no session is resumed (see openssl.cnf), and a resumed one
            # would come in without being looked up in the list of the revoked.
            yield f"tls_version {'tlsv1.3' if name == 'cert' else 'tlsv1.2'}"
        if name == "cert":
            yield f"cafile {self.secrets}/{device_authority.NAME}.pem"
            yield f"crlfile {self.revoked}"
            yield "require_certificate true"
            yield "use_identity_as_username true"


def choose(config: Config) -> Listeners:
    """The doors that were asked for, and the usual ones of TLS where there is a certificate and their port is free.

    Raises Trouble where a door that was asked for cannot be opened.
    """
    on = certificates.is_on(config.home)
    return Listeners(config.home.tls, **{name: _port(config, name, on) for name in SETTING})


def _port(config: Config, name: str, on: bool) -> int:
    asked = config.listeners.get(name)
    if asked == 0 or (asked is None and (not on or name not in USUAL)):
        return 0
    if asked is not None:
        if name != "ws" and not on:
            raise Trouble(f"{SETTING[name]} is set and there is no certificate: run `make certificates` first")
        demand_free(asked, config.bind, SETTING[name])
        return asked
    if is_taken(USUAL[name], config.bind):
        say(f"port {USUAL[name]} is taken, so {WORDS[name]} stays closed; set {SETTING[name]} to another port")
        return 0
    return USUAL[name]
