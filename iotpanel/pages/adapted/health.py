"""How a forwarder or a channel does, in words and colours."""

from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from iotpanel.pages import wording
from rules.api.health import health_of
from rules.models import Target


class Health(NamedTuple):
    """`state` is the API's, or `off`; `tone` a badge's."""

    state: str
    label: str
    tone: str
    lag: str
    figures: dict[str, Any]


def health(enabled: bool, target: Target) -> Health:
    found = health_of(target)
    state = found["state"] if enabled else "off"
    label, tone = _badges()[state]
    lag = wording.span(found["lag_seconds"]) if found["waiting"] else ""
    return Health(state, label, tone, lag, found)


def _badges() -> dict[str, tuple[str, str]]:
    return {
        "off": (_("off"), ""),
        "held": (_("paused"), "accent"),
        "down": (_("down"), "critical"),
        "waiting": (_("sending"), "accent"),
        "ok": (_("works"), "good"),
        "idle": (_("nothing sent yet"), "outline"),
    }
