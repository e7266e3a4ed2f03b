"""What every simulated device can do."""

import json
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

    def __init__(self, key: str, number: int) -> None:
        self.key, self.number = key, number

    def values(self, at: float) -> Values:
        """The readings of an instant, within their ranges."""
        raise NotImplementedError

    def messages(self, at: float) -> list[Message]:
        """What it sends now; nothing while it is silent."""
        return [telemetry(self.values(at))]

    def attributes(self) -> Values:
        """What it tells of itself when it connects."""
        return {"model": self.model, "serial": f"SIM-{self.number:04d}", "firmware": "1.4.2"}

    def history(self, instants: list[float]) -> list[Message]:
        """One message with the readings of many instants."""
        return [Message("telemetry", dumps(backfill(instants, self.values)))]

    def wobble(self, what: str, at: float, span: float) -> float:
        """This device's own smooth noise, -1 to 1."""
        return noise(f"{self.key}/{what}", at, span)


def telemetry(values: Values) -> Message:
    return Message("telemetry", dumps(values))


def event(name: str, **params: Any) -> Message:
    return Message(f"events/{name}", dumps({"params": params}))


def backfill(instants: list[float], values: Any) -> list[Values]:
    """The long form, with the time in milliseconds, of many instants."""
    return [{"ts": round(at * 1000), "values": values(at)} for at in instants]


def dumps(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
