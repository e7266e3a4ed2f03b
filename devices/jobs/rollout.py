"""How a job goes on: the canary, waves, limits, and the hours in which it may begin with a device."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from iotpanel.tenants.validation import clean_integer
from iotpanel.zones import ZONES

DAY = 86_400
DEFAULTS: dict[str, Any] = {
    "canary_percent": 0,  # of the devices, at least one; 0: no canary
    "canary_confirm": False,  # whether somebody has to say “go on” after it
    "wave_percent": 100,  # of the devices, in each wave behind the canary
    "parallel": 2_000,  # devices that are worked on at once
    "abort_percent": 20,  # of those that ended, failed: the job stops
    "abort_after": 5,  # so many must have ended before that counts, outside of the canary
    "retries": 0,  # further attempts for each device
    "retry_after": 30,  # seconds
    "wait_offline": DAY,  # seconds to wait for a device that is away
    "windows": [],  # {"days": [0..6, Monday is 0], "from": "01:00", "to": "05:00"}; none: at any time
    "timezone": "UTC",
}
_NUMBERS = {
    "canary_percent": (0, 50),
    "wave_percent": (1, 100),
    "parallel": (1, 10_000),
    "abort_percent": (1, 100),
    "abort_after": (1, 100_000),
    "retries": (0, 10),
    "retry_after": (0, DAY),
    "wait_offline": (1, 366 * DAY),
}
MAX_WINDOWS = 20


def clean_rollout(value: Any) -> dict[str, Any]:
    """All of DEFAULTS, changed as the value says. Raises ValidationError by field."""
    if not isinstance(value, dict):
        raise ValidationError({"rollout": _("This must be an object with fields.")})
    problems: dict[str, Any] = {f"rollout.{name}": _("There is no such field.") for name in value if name not in DEFAULTS}
    found = {**DEFAULTS, **{name: given for name, given in value.items() if name in DEFAULTS}}
    for name, (low, high) in _NUMBERS.items():
        try:
            clean_integer(found[name], low=low, high=high)
        except ValidationError as error:
            problems[f"rollout.{name}"] = error.messages
    if not isinstance(found["canary_confirm"], bool):
        problems["rollout.canary_confirm"] = _("This must be true or false.")
    if not isinstance(found["timezone"], str) or found["timezone"] not in ZONES:
        problems["rollout.timezone"] = _("There is no such time zone.")
    if not isinstance(found["windows"], list) or len(found["windows"]) > MAX_WINDOWS or not all(map(_is_window, found["windows"])):
        problems["rollout.windows"] = _("A list of objects with “from”, “to” such as 01:30, and “days” from 0 (Monday) to 6.")
    if problems:
        raise ValidationError(problems)
    return found


def _is_window(value: Any) -> bool:
    if not isinstance(value, dict) or not {"from", "to"} <= set(value) <= {"from", "to", "days"}:
        return False
    days = value.get("days", [0])
    right_days = isinstance(days, list) and bool(days) and all(type(day) is int and 0 <= day <= 6 for day in days)
    return right_days and _minutes(value["from"]) is not None and _minutes(value["to"]) is not None


def _minutes(text: Any) -> int | None:
    hours, colon, minutes = text.partition(":") if isinstance(text, str) else ("", "", "")
    right = colon and hours.isascii() and hours.isdigit() and minutes.isascii() and minutes.isdigit() and len(hours) == len(minutes) == 2
    return int(hours) * 60 + int(minutes) if right and int(hours) < 24 and int(minutes) < 60 else None


def is_open(rollout: dict[str, Any], now: datetime) -> bool:
    """Whether the job may begin with devices now; a window may go over midnight, and belongs to the day on which it begins."""
    if not rollout["windows"]:
        return True
    local = now.astimezone(ZoneInfo(rollout["timezone"]))
    minute, day = local.hour * 60 + local.minute, local.weekday()
    return any(_covers(window, minute, day) for window in rollout["windows"])


def _covers(window: dict[str, Any], minute: int, day: int) -> bool:
    begin, end, days = _minutes(window["from"]) or 0, _minutes(window["to"]) or 0, window.get("days", range(7))
    if begin < end:
        return day in days and begin <= minute < end
    return (day in days and minute >= begin) or ((day - 1) % 7 in days and minute < end)


def sizes(rollout: dict[str, Any], count: int) -> list[int]:
    """How many devices each wave has, the canary first."""
    found, left = [], count
    if rollout["canary_percent"] and count > 1:
        found.append(max(1, count * rollout["canary_percent"] // 100))
        left -= found[0]
    step = max(1, count * rollout["wave_percent"] // 100)
    while left > 0:
        found.append(min(step, left))
        left -= step
    return found
