"""The language of templates: what it says, and what it can't be made to do."""

import json
from typing import Any

import pytest

from rules.template import MAX_TEXT, compile_template
from rules.template_filters import TemplateError

CONTEXT: dict[str, Any] = {
    "device": {"key": "room-1", "name": 'The "hall"', "labels": {"floor": "2"}, "groups": ["a", "b"]},
    "values": {"temperature": 21.456, "door": True, "nothing": None},
    "ts": 1_767_225_600_000,
}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("plain", "plain"),
        ("{{ device.key }}", "room-1"),
        ("{{device.key}}: {{ values.temperature | round(1) }} °C", "room-1: 21.5 °C"),
        ("{{ values.temperature | round }}", "21"),
        ("{{ values.missing }}", ""),
        ('{{ values.missing | default("none") }}', "none"),
        ("{{ values.missing | default(0) | plus(1) }}", "1"),
        ("{{ device.labels.floor }}{{ device.groups[1] }}{{ device.groups.0 }}", "2ba"),
        ('{{ device["labels"]["floor"] }}', "2"),
        ('{{ device.groups | join("/") | upper }}', "A/B"),
        ("{{ ts | iso }}", "2026-01-01T00:00:00Z"),
        ("{{ values.door }}", "true"),
        ("{{ values | json }}", '{"temperature": 21.456, "door": true, "nothing": null}'),
        ("{{ device.name | truncate(5) }}", "The …"),
        ("{{ device.name | url }}", "The%20%22hall%22"),
        ("{{ values.temperature | times(2) | round(2) }}", "42.91"),
        ('{{ "{{" }}', "{{"),
    ],
)
def test_what_it_says(template: str, text: str) -> None:
    assert compile_template(template).render(CONTEXT) == text


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ('{"name": "{{ device.name }}", "t": {{ values.temperature }}}', {"name": 'The "hall"', "t": 21.456}),
        ('{"t": {{ values.missing }}, "door": {{ values.door }}}', {"t": None, "door": True}),
        ('{"all": {{ values | json }}, "name": {{ device.name }}}', {"all": CONTEXT["values"], "name": 'The "hall"'}),
        ('["\\"{{ device.name }}\\"", {{ device.groups }}]', ['"The "hall""', ["a", "b"]]),
    ],
)
def test_json_stays_json_whatever_a_device_is_called(template: str, value: Any) -> None:
    assert json.loads(compile_template(template).render(CONTEXT)) == value


@pytest.mark.parametrize(
    "template",
    ["{{ device.key", "{{ }}", "{{ device..key }}", "{{ device.key | shout }}", "{% if x %}", "{# no #}", "{{ 1 + 1 }}", "{{ device() }}",
     "{{ device.key | default }}", "{{ device.key | round(1, 2) }}", "{{ device['a }}", "{{ ts.real }}{{", "{{ " + "9" * 40 + " }}"],
)  # fmt: skip
def test_what_is_no_template_is_refused(template: str) -> None:
    with pytest.raises(TemplateError):
        compile_template(template)


@pytest.mark.parametrize(
    "path",
    [
        "device.__class__",
        "device.keys",
        "device.key.__class__.__mro__",
        "values.temperature.real",
        "device.key.format",
        "ts.__init__.__globals__",
    ],
)
def test_python_is_out_of_reach(path: str) -> None:
    assert compile_template("{{ " + path + " }}").render(CONTEXT) == ""


def test_a_name_that_is_not_there_is_said_at_compile_time() -> None:
    with pytest.raises(TemplateError, match="secret"):
        compile_template("{{ secret.key }}", {"device"})


def test_a_filter_that_cannot_do_with_a_value_says_so() -> None:
    with pytest.raises(TemplateError, match="no number"):
        compile_template("{{ device.key | round }}").render(CONTEXT)


def test_texts_are_bounded() -> None:
    with pytest.raises(TemplateError):
        compile_template("x" * (MAX_TEXT + 1))
    with pytest.raises(TemplateError):
        compile_template("{{ a }}" * 501)
    with pytest.raises(TemplateError):
        compile_template("{{ a }}" * 100).render({"a": "x" * 20_000})
