"""Room climate, as JSON. One of them falls silent now and then, as batteries and radios do."""

from devices.simulator.curves import daily, occupancy, sun, within

from .base import Simulated, Values

SILENT_NUMBER = 3  # which of the climate sensors it is
SILENCE_EVERY, SILENCE_LENGTH = 2400.0, 300.0


class Climate(Simulated):
    product = "room-climate"
    model = "RC-2"

    def values(self, at: float) -> Values:
        people = occupancy(self.key, at)
        temperature = 21.0 + 0.3 * self.number % 1.2 + 0.9 * daily(at, 15.5) + 0.8 * people + 0.25 * self.wobble("temperature", at, 700)
        humidity = 43 - 2.5 * daily(at, 15.5) + 5 * people + 2 * self.wobble("humidity", at, 1300)
        carbon = 430 + 620 * people + 40 * self.wobble("co2", at, 400)
        light = 900 * sun(at) * (0.75 + 0.25 * self.wobble("clouds", at, 500)) + (280 if people > 0.15 else 2)
        return {
            "temperature": round(temperature, 2),
            "humidity": round(humidity, 1),
            "co2": round(carbon),
            "illuminance": round(light),
            "battery": round(96 - (at / 86_400 % 180) / 6, 1),
        }

    def reported(self, at: float) -> Values | None:
        if self.number == SILENT_NUMBER and within(f"{self.key}/silence", at, SILENCE_EVERY, SILENCE_LENGTH):
            return None
        return self.values(at)
