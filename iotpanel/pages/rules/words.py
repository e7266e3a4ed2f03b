"""The words of the rule page's script."""

from typing import Any

from django.utils.translation import gettext as _


def words() -> dict[str, Any]:
    """Texts by the names that the script knows them by."""
    return {**_form(), **_conditions(), **_answers()}


def _form() -> dict[str, Any]:
    return {
        "triggers": {
            "readings": _("readings arrive"),
            "attributes": _("attributes arrive"),
            "presence": _("a device comes or goes"),
            "event": _("an event comes"),
            "alarm": _("another alarm changes"),
            "schedule": _("it is time"),
            "scene": _("a person starts it"),
        },
        "units": [["s", _("seconds")], ["m", _("minutes")], ["h", _("hours")], ["d", _("days")]],
        "trigger": _("Trigger"), "scope_of": _("of"), "product": _("Product"), "any_product": _("any product"), "in": _("in"),
        "group_label": _("Group"), "any_group": _("any group"), "label": _("Label"), "only_devices": _("Only some devices"),
        "all_devices": _("All devices"), "devices": _("Device keys"),
        "remove": _("Remove"), "event": _("Event"), "any_event": _("any event"),
        "cron": _("Minute, hour, day, month, weekday"), "zone": _("Time zone"), "for": _("for"), "for_note": _("empty: at once"),
        "clears": _("How it clears"), "clears_same": _("when it is no longer so"), "clears_own": _("by its own condition"),
        "clear_for": _("How long until it clears"), "cooldown": _("For each device at most once in"),
        "cooldown_note": _("empty: every time"),
        "only_at": _("Only at certain times"), "only": _("Only"), "action": _("Action"), "more_fields": _("More settings"),
        "yes": _("yes"), "no": _("no"),
    }  # fmt: skip


def _conditions() -> dict[str, Any]:
    return {
        "kinds": {
            "online": _("the device is"), "no_data": _("silence"), "times": _("it happens several times"), "during": _("time of day"),
            "area": _("its place"), "other": _("another device’s value"), "lua": _("a Lua script"),
        },
        "ops": {
            ">": _("is above"), ">=": _("is at least"), "<": _("is below"), "<=": _("is at most"), "between": _("is between"),
            "outside": _("is outside of"), "=": _("is"), "!=": _("is not"), "contains": _("contains"), "matches": _("matches"),
            "changed": _("changes"), "in": _("is one of"), "not in": _("is none of"),
        },
        "aggregates": {
            "avg": _("average"), "min": _("smallest"), "max": _("largest"), "sum": _("sum"), "count": _("count"),
            "delta": _("change"), "rate": _("rate per hour"),
        },
        "days": {
            "mon": _("Mon"), "tue": _("Tue"), "wed": _("Wed"), "thu": _("Thu"), "fri": _("Fri"), "sat": _("Sat"), "sun": _("Sun"),
        },
        "condition": _("Condition"), "group": _("Group of conditions"), "join": _("How they are joined"), "all": _("all"), "any": _("any"),
        "not_all": _("not all"), "none": _("none"), "of_these": _("of these"), "and": _("and"), "or": _("or"), "of": _("of"),
        "properties": _("Properties"), "attributes": _("Attributes"), "params": _("What comes with it"), "more": _("More"),
        "what": _("What is compared"), "how": _("Comparison"), "aggregate": _("Over time"), "now": _("now"), "over": _("Over how long"),
        "window": _("Window"), "sliding": _("the last"), "tumbling": _("each full"), "value": _("Value"), "against": _("Compared with"),
        "constant": _("a value"), "another": _("a property"), "previous": _("its value before"), "plus": _("plus"),
        "on": _("on"), "off": _("off"), "online": _("online"), "offline": _("offline"), "anything": _("of anything"),
        "count": _("How often"),
        "within": _("times within"), "that": _("that"), "weekdays": _("Weekdays"), "from": _("from"), "to": _("to"),
        "inside": _("inside of"), "radius": _("Radius in metres"), "around": _("m around"), "lat": _("Latitude"), "lon": _("Longitude"),
        "outside": _("outside of"), "device_key": _("Device key"), "property_key": _("Property"),
    }  # fmt: skip


def _answers() -> dict[str, Any]:
    return {
        "lane": _("NAME: COUNT firings"),
        "others": _("COUNT others"),
        "test_failed": _("The back-test could not be run. Nothing is changed by it; try again in a moment."),
    }
