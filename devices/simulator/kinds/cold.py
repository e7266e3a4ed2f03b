"""A cold room: the compressor cycles, the evaporator defrosts, and somebody opens the door."""

import math

from devices.simulator.curves import daily, elapsed, within

from .base import Message, Simulated, Values, event

CYCLE, RUNNING = 1_200.0, 520.0
DEFROST_EVERY, DEFROST_LENGTH = 21_600.0, 900.0
DOOR_EVERY, DOOR_LENGTH = 1_500.0, 75.0
BROKEN_EVERY, BROKEN_LENGTH = 2_700.0, 10.0
NO_PROBE = 327.67  # what a probe reads whose wire is loose


class ColdRoom(Simulated):
    product = "cold-room"
    model = "CR-1"
    commands = ("identify", "start-defrost")

    def __init__(self, key: str, number: int) -> None:
        super().__init__(key, number)
        self.before: Values | None = None
        self.opened_at = 0.0

    def values(self, at: float) -> Values:
        phase = (at + 300 * self.number) % CYCLE
        defrost = elapsed(f"{self.key}/defrost", at, DEFROST_EVERY, DEFROST_LENGTH)
        door = elapsed(f"{self.key}/door", at, DOOR_EVERY, DOOR_LENGTH, share=0.8)
        running = defrost is None and phase < RUNNING
        temperature = -20.5 + _saw(phase) + 0.4 * daily(at, 16) + 0.12 * self.wobble("temperature", at, 90)
        temperature += 0.0 if defrost is None else 7 * math.sin(math.pi * defrost / DEFROST_LENGTH)
        temperature += 0.0 if door is None else 1.6 * door / DOOR_LENGTH
        return {
            "temperature": round(temperature, 2),
            "humidity": round(71 + 4 * self.wobble("humidity", at, 400) + (9 if door is not None else 0)),
            "compressor": running,
            "defrost": defrost is not None,
            "door_open": door is not None,
            "compressor_power": round(1_420 + 60 * self.wobble("power", at, 50)) if running else 12,
        }

    def reported(self, at: float) -> Values | None:
        values = self.values(at)
        if within(f"{self.key}/probe", at, BROKEN_EVERY, BROKEN_LENGTH):
            values["temperature"] = NO_PROBE
        return values

    def messages(self, at: float) -> list[Message]:
        values = self.values(at)
        sent = self._changes(values, at)
        self.before = values
        return [*sent, *super().messages(at)]

    def _changes(self, values: Values, at: float) -> list[Message]:
        sent: list[Message] = []
        before = self.before or values
        if values["door_open"] and not before["door_open"]:
            self.opened_at = at
            sent.append(event("door", state="opened"))
        if before["door_open"] and not values["door_open"]:
            sent.append(event("door", state="closed", seconds=round(at - self.opened_at) if self.opened_at else round(DOOR_LENGTH)))
        if values["defrost"] != before["defrost"]:
            sent.append(event("defrost", state="started" if values["defrost"] else "ended"))
        return sent


def _saw(phase: float) -> float:
    """One degree up and down: quickly down while the compressor runs, slowly up while it rests."""
    if phase < RUNNING:
        return 1.0 - 2 * phase / RUNNING
    return -1.0 + 2 * (phase - RUNNING) / (CYCLE - RUNNING)
