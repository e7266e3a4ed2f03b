"""The sentences that the device page's scripts fill in, in the person's language; `{names}` are filled by the script."""

from django.utils.translation import gettext as _


def script_words() -> dict[str, str]:
    """All of them by name, for `json_script`."""
    return _values() | _chart() | _summary() | _frames()


def _values() -> dict[str, str]:
    return {
        "true": _("on"),
        "false": _("off"),
        "no_reading_for": _("no reading for {time}"),
        "late": _("late: {age}"),
        "since": _("since {time}"),
        "offline_for": _("Offline {time}"),
        "offline": _("Offline"),
        "online": _("Online"),
        "not_loaded": _("This could not be loaded."),
        "copied": _("Copied"),
        "reported_when": _("reported {time}"),
    }


def _chart() -> dict[str, str]:
    return {
        "no_data": _("no data"),
        "no_data_for": _("no data {time}"),
        "no_data_here": _("no data in this time"),
        "min_to_max": _("Min to max"),
        "from_to": _("{low} to {high}"),
        "readings": _("Readings"),
        "limit_min": _("least {value}"),
        "limit_max": _("most {value}"),
        "min": _("min {value}"),
        "avg": _("avg {value}"),
        "max": _("max {value}"),
        "legend_help": _("Click hides, Alt click shows only this one"),
        "remove_series": _("Remove {name}"),
        "foot_buckets": _("{bucket} average with min to max, {readings} readings, {ms} ms"),
        "foot_raw": _("every reading, {readings} readings, {ms} ms"),
        "foot_states": _("changes seen to {bucket}, {readings} readings, {ms} ms"),
        "window_start": _("Start of the window"),
        "window_end": _("End of the window"),
        "end_before_start": _("The end is before the start."),
        "nothing_to_compare": _("Nothing of this kind was found."),
    }


def _summary() -> dict[str, str]:
    return {
        "summary_window": _("From {from} to {to}."),
        "summary": _("{name}: between {low} and {high}, last {now}."),
        "summary_gaps": _("{name}: between {low} and {high}, last {now}; {gaps} gaps without data."),
        "summary_states": _("{name}: {states}."),
        "summary_empty": _("{name}: no data."),
        "column_time": _("Time"),
        "column_value": _("Value"),
        "column_average": _("Average"),
        "column_minimum": _("Minimum"),
        "column_maximum": _("Maximum"),
        "column_readings": _("Readings"),
    }


def _frames() -> dict[str, str]:
    return {
        "stored": _("stored"),
        "frame_up": _("uplink"),
        "frame_down": _("downlink"),
        "down_sent": _("sent"),
        "down_nobody_listens": _("nobody listens"),
        "down_not_sent": _("not sent"),
        "down_unknown": _("unknown"),
        "cut": _("the first {shown} of {size} bytes"),
        "as_hex": _("Hex"),
        "as_text": _("Text"),
        "use_as_sample": _("Use as codec sample"),
        "copy_hex": _("Copy as hex"),
        "following": _("Following"),
        "paused": _("Paused"),
        "waiting_frames": _("{count} more while paused"),
    }
