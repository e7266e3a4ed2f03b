"""Who is in the fleet."""

from typing import NamedTuple

ORDER = ("climate", "meter", "tracker", "gateway", "em300", "cold", "climate", "climate", "meter", "climate", "tracker")
MORE = ("climate", "meter", "tracker", "cold", "climate", "em300")
CHILDREN_OF = {"gateway": 3}
MAX_DEVICES = 1_000

NAMES = {
    "climate": ("Meeting room", "Open office", "Reception", "Canteen", "Library", "Laboratory", "Corridor", "Archive"),
    "meter": ("Main building", "Workshop", "Server room", "Charging station"),
    "tracker": ("Delivery van", "Forklift", "Crane truck", "Trailer"),
    "gateway": ("Boiler house gateway",),
    "em300": ("Laboratory refrigerator", "Vaccine refrigerator", "Kitchen refrigerator"),
    "cold": ("Cold room", "Deep-freeze store", "Blast chiller"),
}
SITE = (53.5466, 9.9940)  # degrees; what stands still stands around here
GROUPS = {"climate": "rooms", "meter": "energy", "tracker": "vehicles", "gateway": "energy", "em300": "cooling", "cold": "cooling"}
GROUP_NAMES = {"demo": "Demo site", "rooms": "Rooms", "energy": "Energy", "vehicles": "Vehicles", "cooling": "Cooling"}


class Member(NamedTuple):
    kind: str
    number: int  # of its kind, from 1

    @property
    def key(self) -> str:
        return f"{self.kind}-{self.number}"

    @property
    def name(self) -> str:
        names = NAMES[self.kind]
        round_number, index = divmod(self.number - 1, len(names))
        return names[index] if round_number == 0 else f"{names[index]} {round_number + 1}"

    @property
    def location(self) -> tuple[float, float] | None:
        """Degrees of latitude and longitude; what moves has none in the registry."""
        if self.kind == "tracker":
            return None
        spread = sum(map(ord, self.kind)) % 17
        return round(SITE[0] + 0.0011 * (self.number % 9) + 0.0002 * spread, 6), round(SITE[1] + 0.0017 * (self.number % 7), 6)


def members(devices: int) -> list[Member]:
    """The first of the fleet, `devices` in number with the children of gateways counted; no gateway without its children."""
    found: list[Member] = []
    room = min(devices, MAX_DEVICES)
    counts: dict[str, int] = {}
    for index in range(MAX_DEVICES * 2):
        kind = ORDER[index] if index < len(ORDER) else MORE[(index - len(ORDER)) % len(MORE)]
        size = 1 + CHILDREN_OF.get(kind, 0)
        if size <= room:
            counts[kind] = counts.get(kind, 0) + 1
            found.append(Member(kind, counts[kind]))
            room -= size
        if room == 0:
            break
    return found
