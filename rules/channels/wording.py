"""The words of a message: by its own templates, or the channel's, or these."""

from functools import lru_cache
from typing import Any

from rules.forwarders.contexts import Anything
from rules.template import Context, Template, compile_template
from rules.template_filters import TemplateError

SAMPLE_ALARM = {
    "id": 0,
    "severity": "info",
    "message": "Test message",
    "active": True,
    "acknowledged": False,
    "raised_at": "2026-01-01T00:00:00+00:00",
    "url": "https://panel.example.org/alarms/",
}
SAMPLE: dict[str, Any] = {
    "device": {
        "key": "test-device",
        "name": "Test device",
        "product": "test",
        "labels": Anything("test", "place"),
        "groups": ["test"],
        "latitude": 0.0,
        "longitude": 0.0,
    },
    "tenant": {"key": "test", "name": "Test"},
    "ts": 1_767_225_600_000,
    "at": "2026-01-01T00:00:00.000Z",
    "rule": {"id": 0, "name": "Test"},
    "change": "raised",
    "values": Anything(),
    "alarm": SAMPLE_ALARM,
}
NAMES = {"device", "tenant", "ts", "at", "rule", "change", "values", "alarm"}
TITLE = "{{ rule.name }}: {{ device.name }} ({{ change }})"
TEXT = "{{ device.name }} ({{ device.key }}), {{ at }}: {{ values | pairs }}"
# Of a rule that raises an alarm: how bad it is and what it says come first, and where to see to it last.
ALARM_TITLES = {"cleared": "[CLEARED] {{ alarm.message }}", "escalated": "[{{ alarm.severity | upper }}, ESCALATED] {{ alarm.message }}"}
ALARM_TITLE = "[{{ alarm.severity | upper }}] {{ alarm.message }}"
ALARM_TEXT = "{{ rule.name }}, {{ device.name }} ({{ device.key }}), {{ at }}: {{ values | pairs }}\n{{ alarm.url }}"


@lru_cache(maxsize=1000)
def _compiled(text: str) -> Template:
    return compile_template(text, NAMES, prose=True)  # “[urgent] ...” is no list


def check_template(text: str) -> None:
    """Raises TemplateError for a template that does not compile, or does not render."""
    try_out(compile_template(text, NAMES, prose=True))


def try_out(template: Template) -> None:
    """Raises TemplateError where it can do neither with numbers nor with texts nor with lists."""
    wrong: TemplateError | None = None
    for value in (21.5, "test", ["test"]):
        try:
            template.render(SAMPLE | {"values": Anything(value)})
        except TemplateError as error:
            wrong = wrong or error
        else:
            return
    assert wrong is not None
    raise wrong


class Wording:
    """Raises TemplateError."""

    def __init__(self, title: str, text: str) -> None:
        self.title, self.text = title, text

    def of(self, context: Context) -> tuple[str, str]:
        """Title (one line) and text."""
        usual_title, usual_text = usual(context)
        title = _compiled(self.title or usual_title).render(context)
        return " ".join(title.split()) or "iotpanel", _compiled(self.text or usual_text).render(context)


def usual(context: Context) -> tuple[str, str]:
    """The templates of title and text where nobody wrote others."""
    if not context.get("alarm"):
        return TITLE, TEXT
    return ALARM_TITLES.get(str(context.get("change")), ALARM_TITLE), ALARM_TEXT
