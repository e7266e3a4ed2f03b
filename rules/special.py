"""Conditions that stand for themselves: presence, silence, counting, hours, places, scripts. Pure Python."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from .areas import compile_area
from .conditions import Counter, Leaf, Lua, Needs, Test, Use, compile_condition
from .durations import SECOND
from .facts import Facts, WindowKey
from .moments import Hours
from .operands import name_in, only, span
from .problems import BadRule

LONGEST_SILENCE: Final = 366 * 86_400 * SECOND
LONGEST_LUA: Final = 8_000


def _online(leaf: Mapping[str, Any], path: str, needs: Needs, leaves: Leaf) -> Test:
    only(leaf, path, {"online"})
    wanted = leaf["online"]
    if not isinstance(wanted, bool):
        raise BadRule(f"{path}.online", "true or false")
    needs.presence = needs.any_reading = True
    return lambda facts: None if facts.online is None else facts.online is wanted


def _no_data(leaf: Mapping[str, Any], path: str, needs: Needs, leaves: Leaf) -> Test:
    only(leaf, path, {"no_data", "property"})
    length = span(leaf, "no_data", path, LONGEST_SILENCE)
    name = name_in(leaf, "property", path) if "property" in leaf else ""
    if name:
        needs.uses.append(Use(f"{path}.property", "property", name))
    else:
        needs.any_reading = needs.silence = True

    def test(facts: Facts) -> bool | None:
        heard = facts.times.get(name, 0) if name else facts.newest
        if not heard:
            return None
        ends = max(heard, facts.silent_from) + length
        facts.wake(ends)
        return facts.at >= ends

    return test


def _times(leaf: Mapping[str, Any], path: str, needs: Needs, leaves: Leaf) -> Test:
    only(leaf, path, {"times", "within", "when"})
    times, length = leaf["times"], span(leaf, "within", path)
    if not isinstance(times, int) or isinstance(times, bool) or not 1 <= times <= 10_000:
        raise BadRule(f"{path}.times", "a whole number from 1 to 10000")
    key = WindowKey(f"#{needs.token}.{needs.number()}", length, "")
    inner = compile_condition(leaf.get("when"), f"{path}.when", needs, leaves, 5)
    needs.counters.append(Counter(key, inner))

    def test(facts: Facts) -> bool:
        window = facts.windows[key]
        cell = window.look(facts.at)
        facts.wake(window.ends(facts.at))
        return cell is not None and cell.size >= times

    return test


def _during(leaf: Mapping[str, Any], path: str, needs: Needs, leaves: Leaf) -> Test:
    only(leaf, path, {"during"})
    hours = Hours(leaf["during"], f"{path}.during")

    def test(facts: Facts) -> bool:
        facts.wake(hours.changes(facts.at))
        return hours.hold(facts.at)

    return test


def _lua(leaf: Mapping[str, Any], path: str, needs: Needs, leaves: Leaf) -> Test:
    only(leaf, path, {"lua"})
    text = leaf["lua"]
    if not isinstance(text, str) or not 0 < len(text) <= LONGEST_LUA:
        raise BadRule(f"{path}.lua", "a script of 1 to %(most)s characters", most=LONGEST_LUA)
    script = Lua(f"{path}.lua", needs.number(), text)
    needs.lua.append(script)
    needs.any_reading = True
    key = (needs.token, script.number)

    def test(facts: Facts) -> bool | None:
        found = facts.lua.get(key)
        if isinstance(found, Exception):
            raise found
        return found

    return test


def _area(leaf: Mapping[str, Any], path: str, needs: Needs, leaves: Leaf) -> Test:
    """Where the device is: by two properties, or by one that holds `{"lat", "lon"}`."""
    only(leaf, path, {"area", "op", "latitude", "longitude", "property"})
    if leaf.get("op") not in ("inside", "outside"):
        raise BadRule(f"{path}.op", "“inside” or “outside”")
    inside, wanted = compile_area(leaf["area"], f"{path}.area"), leaf["op"] == "inside"
    where = _position(leaf, path, needs)

    def test(facts: Facts) -> bool | None:
        lat, lon = where(facts)
        if not isinstance(lat, int | float) or not isinstance(lon, int | float):
            return None
        return inside(lat, lon) is wanted

    return test


def _position(leaf: Mapping[str, Any], path: str, needs: Needs) -> Callable[[Facts], tuple[Any, Any]]:
    if "property" in leaf:
        name = name_in(leaf, "property", path)
        needs.uses.append(Use(f"{path}.property", "property", name, "json"))
        return lambda facts: (found.get("lat"), found.get("lon")) if isinstance(found := facts.values.get(name), dict) else (None, None)
    latitude, longitude = (
        name_in({"latitude": "latitude", "longitude": "longitude", **leaf}, word, path) for word in ("latitude", "longitude")
    )
    for word, name in (("latitude", latitude), ("longitude", longitude)):
        needs.uses.append(Use(f"{path}.{word}", "property", name, "number"))
    return lambda facts: (facts.values.get(latitude), facts.values.get(longitude))


SPECIAL: dict[str, Callable[[Mapping[str, Any], str, Needs, Leaf], Test]] = {
    "online": _online,
    "no_data": _no_data,
    "times": _times,
    "during": _during,
    "area": _area,
    "lua": _lua,
}
