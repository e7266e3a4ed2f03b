"""Why an uplink became a dead letter, in words: what was wrong, and what to do."""

from typing import NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop


class Reason(NamedTuple):
    words: str
    advice: str


_MODEL = gettext_noop("Correct the thing model or the device, then replay.")
_CODEC = gettext_noop("Mend the script in the product’s codec workbench, then replay.")
_FIRMWARE = gettext_noop("The device has to send something else; what is here stays as proof.")
REASONS = {
    "unknown_device": Reason(gettext_noop("no device has this key"), gettext_noop("Create the device, then replay.")),
    "unknown_child": Reason(
        gettext_noop("the gateway speaks for a child that is not known"),
        gettext_noop("Create the child below this gateway, or let the product register children, then replay."),
    ),
    "unknown_topic": Reason(
        gettext_noop("the topic means nothing"), gettext_noop("Use a topic of the contract, or map it in the product.")
    ),
    "unknown_property": Reason(gettext_noop("a property that the thing model does not know"), _MODEL),
    "unknown_event": Reason(gettext_noop("an event that the thing model does not know"), _MODEL),
    "unknown_command": Reason(gettext_noop("a reply to a command that nobody sent"), _FIRMWARE),
    "unexpected_reply": Reason(gettext_noop("a reply that no command waits for"), _FIRMWARE),
    "wrong_device": Reason(gettext_noop("a device spoke for another one"), gettext_noop("Check the gateway’s children, then replay.")),
    "not_json": Reason(gettext_noop("the payload is not JSON"), _FIRMWARE),
    "bad_shape": Reason(gettext_noop("JSON of the wrong shape"), _FIRMWARE),
    "too_large": Reason(gettext_noop("the message is too large"), _FIRMWARE),
    "too_deep": Reason(gettext_noop("the JSON is nested too deeply"), _FIRMWARE),
    "too_many_properties": Reason(gettext_noop("too many properties"), _FIRMWARE),
    "bad_value": Reason(gettext_noop("a value of the wrong type"), _MODEL),
    "out_of_range": Reason(gettext_noop("a value out of range"), _MODEL),
    "bad_timestamp": Reason(gettext_noop("a time that cannot be right"), gettext_noop("Set the device’s clock.")),
    "codec_error": Reason(gettext_noop("the codec failed"), _CODEC),
    "codec_timeout": Reason(gettext_noop("the codec took too long"), _CODEC),
    "codec_memory": Reason(gettext_noop("the codec needed too much memory"), _CODEC),
    "codec_result": Reason(gettext_noop("the codec’s result is not usable"), _CODEC),
    "store_refused": Reason(gettext_noop("the database refused the values"), _FIRMWARE),
}


def reason_words(code: str) -> str:
    """What was wrong; the code itself where it is a new one."""
    return _(REASONS[code].words) if code in REASONS else code


def advice(code: str) -> str:
    """What to do about it."""
    return _(REASONS[code].advice) if code in REASONS else ""
