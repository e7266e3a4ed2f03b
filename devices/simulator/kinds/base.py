"""What every simulated device can do."""

import json
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

from devices.simulator.curves import noise

Values = dict[str, Any]


class Message(NamedTuple):
    """Bytes for one of the device's own topics; `topic` is what stands behind `devices/{key}/up/`."""

    topic: str
    payload: bytes


class Simulated:
    """A device of one kind. Subclasses say what it measures at an instant; `at` is in seconds since 1970."""

    product: ClassVar[str]  # the ready product in the catalog
    every: ClassVar[int] = 2  # how many of the fleet's intervals lie between its messages
    model: ClassVar[str] = ""
    commands: ClassVar[tuple[str, ...]] = ("identify",)

    def __init__(self, key: str, number: int) -> None:
        self.key, self.number = key, number

    def values(self, at: float) -> Values:
        """The readings of an instant, within their ranges."""
        raise NotImplementedError

    def reported(self, at: float) -> Values | None:
        """What it says at an instant, faults on purpose included; None while it is silent."""
        return self.values(at)

    def messages(self, at: float) -> list[Message]:
        """What it sends now."""
        values = self.reported(at)
        return [] if values is None else [Message("telemetry", dumps(values))]

    def greeting(self) -> list[Message]:
        """What it tells when it has connected."""
        return [Message("attributes", dumps(identity(self.model, self.number)))]

    def farewell(self) -> list[Message]:
        """What it tells before it leaves, its own status aside."""
        return []

    def obey(self, name: str, params: Values) -> Values:
        """Carry a command out; what the reply holds. Raises LookupError for one that it does not know."""
        if name not in self.commands:
            raise LookupError(name)
        return {"done": name, **params}

    def history(self, instants: list[float]) -> list[Message]:
        """One message with what it would have said at many instants."""
        return [Message("telemetry", dumps(backfill(instants, self.reported)))]

    def wobble(self, what: str, at: float, span: float) -> float:
        """This device's own smooth noise, -1 to 1."""
        return noise(f"{self.key}/{what}", at, span)


def identity(model: str, number: int) -> Values:
    return {"model": model, "serial": f"{model}-{number:04d}", "firmware": "1.4.2"}


def event(name: str, **params: Any) -> Message:
    return Message(f"events/{name}", dumps({"params": params}))


def backfill(instants: list[float], reported: Callable[[float], Values | None]) -> list[Values]:
    """The long form, with the time in milliseconds, of those instants at which there was something to say."""
    return [{"ts": round(at * 1000), "values": values} for at in instants if (values := reported(at)) is not None]


def dumps(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
