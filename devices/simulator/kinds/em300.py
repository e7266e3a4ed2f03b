"""A Milesight EM300-TH in a refrigerator, in the sensor's real frames; the first one is a frame of a real sensor."""

import struct

from devices.simulator.curves import daily, within

from .base import Message, Simulated, Values

REAL_FRAME = bytes.fromhex("03672c00046817")  # 4.4 °C, 11.5 %
BATTERY_EVERY = 10


class EM300(Simulated):
    product = "milesight-em300-th"
    every = 12
    model = "EM300-TH"

    def __init__(self, key: str, number: int) -> None:
        super().__init__(key, number)
        self.sent = 0

    def values(self, at: float) -> Values:
        opened = 2.2 if within(f"{self.key}/door", at, 3_000, 240, share=0.7) else 0.0
        temperature = 4.4 + 0.5 * daily(at, 16) + 0.6 * self.wobble("temperature", at, 1_500) + opened
        humidity = 11.5 + 1.5 * self.wobble("humidity", at, 2_500) + 8 * opened
        return {"temperature": round(temperature, 1), "humidity": round(humidity * 2) / 2}

    def greeting(self) -> list[Message]:
        return []  # it would say who it is in a frame of its own

    def messages(self, at: float) -> list[Message]:
        self.sent += 1
        if self.sent == 1:
            return [Message("raw/85", REAL_FRAME)]
        battery = 99 if self.sent % BATTERY_EVERY == 2 else None
        return [Message("raw/85", encode(self.values(at), battery))]


def encode(values: Values, battery: int | None = None) -> bytes:
    """The sensor's frame: channel, type, value; little-endian."""
    temperature, humidity = round(values["temperature"] * 10), round(values["humidity"] * 2)
    head = bytes([0x01, 0x75, battery]) if battery is not None else b""
    return head + struct.pack("<BBhBBB", 0x03, 0x67, temperature, 0x04, 0x68, humidity)
