"""Test data for deliveries: forwarders by their verb, and a carrier whose other side does as it is told."""

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

from iotpanel.tenants.models import Tenant, User
from rules.channels.records import create_channel
from rules.delivery.parcels import Parcel
from rules.forwarders.records import create_forwarder
from rules.models import Browser, Channel, Forwarder, Target
from rules.outbox import Promise, promise
from rules.push.browsers import subscribe

_numbers = count(1)
POINT = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"  # of RFC 8291
AUTH = "BTBZMqHH6r4Tts7J_aSIgg"


def make_forwarder(tenant: Tenant, **overrides: Any) -> Forwarder:
    return create_forwarder(tenant, **{"name": f"Forwarder {next(_numbers)}", "kind": "log"} | overrides)


def make_channel(tenant: Tenant, **overrides: Any) -> Channel:
    return create_channel(tenant, **{"name": f"Channel {next(_numbers)}", "kind": "inpage"} | overrides)


def make_browser(person: User, **overrides: Any) -> Browser:
    """Nobody has the private key of this one, and its push service is nowhere."""
    endpoint = f"https://push.example.org/{next(_numbers)}"
    return subscribe(person, **{"endpoint": endpoint, "p256dh": POINT, "auth": AUTH, "agent": "Firefox/130 Linux"} | overrides)


class Others:
    """The other side: what it took, in order, and what it does about each batch."""

    def __init__(self) -> None:
        self.took: list[Any] = []
        self.calls = 0
        self.judge: Callable[[Sequence[Any]], None] = lambda entries: None

    def carrier(self, **overrides: Any) -> type:
        others = self

        class Fake:
            keeps, gathers, recorded, batch, sent, stamp = True, False, False, 500, "said", 1

            def __init__(self, target: Target) -> None:
                pass

            @staticmethod
            def stamp_of(target: Target) -> object:
                return 1

            def send(self, parcels: Sequence[Parcel]) -> str:
                others.calls += 1
                entries = [parcel.entry for parcel in parcels]
                others.judge(entries)
                others.took += entries
                return "thanks"

            def rest(self) -> float:
                return 0.0

            def close(self) -> None:
                pass

        for name, value in overrides.items():
            setattr(Fake, name, value)
        return Fake


def say(tenant: Tenant, *said: Any, device: int = 7, kind: str = "fake", delay: float = 0.0) -> None:
    """Promise single messages about a device."""
    promise([Promise(tenant.pk, kind, 1, device, {"n": each}, delay) for each in said])


def bundle(tenant: Tenant, *entries: list[Any], kind: str = "fake") -> None:
    """Promise one bundle of entries."""
    promise([Promise(tenant.pk, kind, 1, None, {"entries": list(entries)})])
