"""What jobs say in codes, in words: why one is paused or aborted, why a device failed, how far it is."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from devices.models import ErrandState

REASONS = {
    "by_person": gettext_noop("by a person"),
    "canary_done": gettext_noop("the canary is done; somebody has to go on"),
    "canary_failed": gettext_noop("the canary reached its limit of failures"),
    "too_many_failures": gettext_noop("too many devices failed"),
    "job_aborted": gettext_noop("the job was aborted"),
    "device_disabled": gettext_noop("the device is disabled"),
    "unknown_command": gettext_noop("the thing model has no such command"),
    "unknown_parameter": gettext_noop("the command has no such parameter"),
    "bad_shape": gettext_noop("JSON of the wrong shape"),
    "bad_value": gettext_noop("a value of the wrong type"),
    "out_of_range": gettext_noop("a value out of range"),
    "too_large": gettext_noop("too large"),
    "queue_full": gettext_noop("too many commands wait for the device"),
    "not_sent": gettext_noop("the device was not there in time"),
    "no_reply": gettext_noop("the device did not answer"),
    "not_acknowledged": gettext_noop("the broker did not acknowledge it"),
    "no_progress": gettext_noop("the device said nothing for too long"),
    "not_reported": gettext_noop("the device did not report that it is so"),
    "device_error": gettext_noop("the device said that it failed"),
    "wrong_version": gettext_noop("the device runs another version"),
    "not_installed": gettext_noop("the device started with its old version"),
    "already_there": gettext_noop("the device runs it already"),
    "older_version": gettext_noop("the device runs a newer version"),
    "wrong_product": gettext_noop("the firmware is for another product"),
    "package_gone": gettext_noop("the package was deleted, or cannot be read any more"),
    "no_previous_version": gettext_noop("there is no package of the version before"),
    "update_under_way": gettext_noop("another job is at work on the device"),
    "no_credentials": gettext_noop("the device has no secret of its own"),
}


def reason_words(code: str) -> str:
    """The code itself where it is a new one."""
    return _(REASONS[code]) if code in REASONS else code


def step_words(step: str) -> str:
    """How far a device is."""
    return str(ErrandState(step).label) if step in ErrandState.values else step
