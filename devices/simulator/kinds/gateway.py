"""A gateway that reads heat meters over Modbus and reports for them; it makes them known by speaking for them."""

from devices.simulator.curves import daily, occupancy, within

from .base import Message, Simulated, Values, backfill, dumps, identity

CHILDREN = 3
SINCE = 1_735_689_600.0  # 2025-01-01: where the energy counters began
STARTED_EVERY = 600_000.0
FAILURE_EVERY, FAILURE_LENGTH = 5_400.0, 16.0


class Gateway(Simulated):
    product = "modbus-gateway"
    every = 3
    model = "GW-10"
    commands = ("identify", "restart", "read-now")

    def children(self) -> list[str]:
        return [f"{self.key}-heat-{number}" for number in range(1, CHILDREN + 1)]

    def values(self, at: float) -> Values:
        return {
            "cpu_load": round(14 + 6 * self.wobble("load", at, 90), 1),
            "uptime": round(at % STARTED_EVERY),
            "bus_errors": int(at % STARTED_EVERY // FAILURE_EVERY),
        }

    def child_values(self, number: int, at: float) -> Values:
        """The readings of one heat meter."""
        name = f"heat{number}"
        demand = 0.45 - 0.25 * daily(at, 15) + 0.3 * occupancy(self.key, at) + 0.08 * self.wobble(name, at, 500)
        flow = 52 + 16 * demand + 0.6 * self.wobble(f"{name}/flow", at, 180)
        back = flow - 9 - 11 * demand
        volume = 320 + 900 * max(0.0, demand) + 40 * number
        return {
            "flow_temperature": round(flow, 1),
            "return_temperature": round(back, 1),
            "volume_flow": round(volume),
            "power": round(volume * (flow - back) * 1.163 / 1000, 2),
            "energy": round((at - SINCE) / 3600 * (7.5 + number), 1),
        }

    def messages(self, at: float) -> list[Message]:
        failed = within(f"{self.key}/failure", at, FAILURE_EVERY, FAILURE_LENGTH)
        readings = {key: self.child_values(number, at) for number, key in enumerate(self.children(), 1)}
        sent = super().messages(at)
        if failed:
            lost = self.children()[-1]
            del readings[lost]
            sent.append(Message("gateway/events/no_response", dumps({lost: {"params": {"address": 10 + CHILDREN}}})))
        sent.append(Message("gateway/telemetry", dumps(readings)))
        return sent

    def greeting(self) -> list[Message]:
        meters = {key: identity("HM-5", number) for number, key in enumerate(self.children(), 1)}
        return [*super().greeting(), self._status("online"), Message("gateway/attributes", dumps(meters))]

    def farewell(self) -> list[Message]:
        return [self._status("offline")]

    def _status(self, word: str) -> Message:
        return Message("gateway/status", dumps(dict.fromkeys(self.children(), word)))

    def history(self, instants: list[float]) -> list[Message]:
        def entries(number: int) -> list[Values]:
            return backfill(instants, lambda at: self.child_values(number, at))

        per_child = [Message("gateway/telemetry", dumps({key: entries(number)})) for number, key in enumerate(self.children(), 1)]
        return [*super().history(instants), *per_child]
