"""A power meter that sends binary frames; the product's Lua script reads them (`scripts/power-meter.lua`)."""

import struct

from devices.simulator.curves import daily, occupancy, within

from .base import Message, Simulated, Values

FRAME = struct.Struct(">BBB6HiHbQH")
SINCE = 1_735_689_600.0  # 2025-01-01: where the energy counter began
MEAN_WATTS = 2_400.0
DAMAGED_EVERY, DAMAGED_LENGTH = 3_600.0, 5.0


class Meter(Simulated):
    product = "power-meter"
    every = 1
    model = "PM-3"

    def values(self, at: float) -> Values:
        power = self._power(at)
        volts = [230.4 + phase + 1.4 * self.wobble(f"u{phase}", at, 240) for phase in (0.3, -0.6, 0.1)]
        amperes = [power / 3 / 0.96 / 230 * (1 + 0.12 * self.wobble(f"i{phase}", at, 90)) for phase in (1, 2, 3)]
        return {
            "relay": True,
            **{f"voltage_l{phase}": round(value, 1) for phase, value in enumerate(volts, 1)},
            **{f"current_l{phase}": round(value, 2) for phase, value in enumerate(amperes, 1)},
            "power": round(power),
            "frequency": round(50 + 0.03 * self.wobble("frequency", at, 60), 2),
            "power_factor": round(0.96 + 0.02 * self.wobble("factor", at, 600), 2),
            "energy": round((at - SINCE) / 3600 * MEAN_WATTS * self.number / 1000, 3),
        }

    def _power(self, at: float) -> float:
        base = 700 + 350 * daily(at, 19) + 2_600 * occupancy(self.key, at) + 180 * self.wobble("load", at, 120)
        kettle = 2_000 if within(f"{self.key}/kettle", at, 2_700, 160) else 0
        return max(120.0, base + kettle)

    def messages(self, at: float) -> list[Message]:
        frame = bytearray(encode(self.values(at)))
        if within(f"{self.key}/damaged", at, DAMAGED_EVERY, DAMAGED_LENGTH):
            frame[12] ^= 0x20  # a line disturbance: the checksum finds it
        return [Message("raw", bytes(frame))]


def encode(values: Values) -> bytes:
    """The frame that the meter would send for these readings."""
    volts = [round(values[f"voltage_l{phase}"] * 10) for phase in (1, 2, 3)]
    amperes = [round(values[f"current_l{phase}"] * 100) for phase in (1, 2, 3)]
    frequency, factor = round(values["frequency"] * 100), round(values["power_factor"] * 100)
    energy = round(values["energy"] * 1000)
    body = FRAME.pack(0xA5, 1, int(values["relay"]), *volts, *amperes, round(values["power"]), frequency, factor, energy, 0)
    return body + bytes([sum(body) & 0xFF])
