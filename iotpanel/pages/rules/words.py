"""The words of the rule page's script."""

from typing import Any

from django.utils.translation import gettext as _

from rules import triggers
from rules.wording.phrases import SEVERITIES, alarm_changes, command_states


def words() -> dict[str, Any]:
    """Texts by the names that the script knows them by."""
    return {**_form(), **_conditions(), **_actions(), **_times(), **_answers()}


def _form() -> dict[str, Any]:
    return {
        "triggers": {kind: label for kind, label in _triggers().items() if kind in triggers.KINDS},
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


def _triggers() -> dict[str, str]:
    return {
        "readings": _("readings arrive"),
        "attributes": _("attributes arrive"),
        "presence": _("a device comes or goes"),
        "event": _("an event comes"),
        "command": _("a command ends"),
        "alarm": _("another alarm changes"),
        "schedule": _("it is time"),
        "scene": _("a person starts it"),
    }


def _actions() -> dict[str, Any]:
    return {
        "add_action": _("Add an action"), "add_step": _("Add a step"), "wait": _("wait"), "wait_for": _("wait for"),
        "take_steps": _("Take over the steps of"), "earlier": _("Earlier"),
        "add_level": _("If nobody acknowledges it"), "after": _("after"), "make_it": _("make it"), "as_it_is": _("as severe as it is"),
        "give_to": _("give it to"), "nobody": _("nobody else"), "insert": _("Insert"),
        "no_command": _("No product here has a command."), "usual": _("as usual"),
        "name": _("Name"), "add_value": _("Add a value"), "value_kind": _("Where the value comes from"), "text": _("text"),
        "number": _("number"), "truth": _("yes or no"), "gone": _("taken away"), "type": _("Type"), "add_device": _("Add a device"),
    }  # fmt: skip


def _times() -> dict[str, Any]:
    return {
        "schedules": {"daily": _("every day"), "workdays": _("Monday to Friday"), "weekly": _("every week"),
                      "hourly": _("every hour"), "own": _("by a cron expression")},
        "at": _("at"), "minute": _("minute"), "how_often": _("How often it is time"), "weekday": _("Weekday"),
        "changes": alarm_changes(), "states": command_states(), "undone": list(triggers.UNDONE),
        "severities": {name: str(word) for name, word in SEVERITIES.items()},
        "command": _("Command"), "any_command": _("any command"), "which_states": _("In which states"),
        "which_changes": _("Which changes"), "which_severities": _("Which severities"),
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
        "others": _("and COUNT more"),
        "test_failed": _("The back-test could not be run. Nothing is changed by it; try again in a moment."),
    }
