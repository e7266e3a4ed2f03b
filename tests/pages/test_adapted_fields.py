"""Adapters' settings as form fields and back; every title of theirs has a Chinese word."""

from typing import Any

import pytest
from django.utils import translation

from iotpanel.pages.adapted.fields import Field, fields, read
from iotpanel.pages.scope_form import read_scope
from rules.channels import CHANNELS
from rules.forwarders import FORWARDERS
from rules.forwarders.base import flag, port, schema, secret, templated, text

SCHEMA = schema(
    {
        "host": text("Host"),
        "port": port(1883),
        "topic": templated("Topic", default="x"),
        "level": {"type": "integer", "enum": [0, 1], "default": 1},
        "to": {"type": "array", "items": {"type": "string"}},
        "headers": {"type": "object"},
        "ca": text("Certificate", maxLength=20_000),
        "password": secret("Password"),
        "tls": flag("TLS", True),
    },
    ["host"],
)


def by_name(settings: dict[str, Any], secrets: list[str], **more: Any) -> dict[str, Field]:
    return {field.name: field for field in fields(SCHEMA, settings, secrets, problems=more.pop("problems", {}), **more)}


def test_each_setting_is_edited_by_its_kind() -> None:
    shown = by_name({"to": ["a@x.example", "b@x.example"], "headers": {"X-A": "1"}, "port": 1}, ["password"])

    kinds = {name: field.kind for name, field in shown.items()}
    assert kinds == {
        "host": "text", "port": "number", "topic": "template", "level": "choice", "to": "list", "headers": "map", "ca": "lines",
        "password": "secret", "tls": "check",
    }  # fmt: skip
    assert (shown["to"].value, shown["headers"].value, shown["port"].value) == ("a@x.example\nb@x.example", "X-A: 1", "1")
    assert (shown["tls"].value, shown["level"].value, shown["host"].required) == (True, "1", True)


def test_a_secret_is_known_and_never_shown() -> None:
    field = by_name({"password": "should not be here"}, ["password"])["password"]

    assert (field.value, field.known) == ("", True)
    assert by_name({}, [], sent={"s.password": "typed"})["password"].value == ""


def test_what_was_refused_stands_again_with_its_problem() -> None:
    problems = {"settings.to.0": "no address", "settings.host": "needed", "name": "taken"}
    shown = by_name({}, [], sent={"s.to": "nonsense"}, problems=problems)

    assert (shown["to"].value, shown["to"].error, shown["host"].error, shown["port"].error) == ("nonsense", "no address", "needed", "")
    assert shown["tls"].value is False


def test_what_is_sent_becomes_settings_of_their_types() -> None:
    sent = {"s.host": " h ", "s.port": "18", "s.level": "0", "s.to": "a, b\n\nc", "s.headers": "A: 1\nB:2:3", "s.topic": "t", "s.x": "y"}

    assert read(SCHEMA, sent) == {
        "host": "h", "port": 18, "level": 0, "to": ["a", "b", "c"], "headers": {"A": "1", "B": "2:3"}, "topic": "t", "tls": False,
    }  # fmt: skip
    assert read(SCHEMA, {"s.port": "many"})["port"] == "many"  # refused by the schema, in words


@pytest.mark.parametrize(
    ("sent", "kept"), [({}, {}), ({"drop.password": "on"}, {"password": None}), ({"s.password": "p"}, {"password": "p"})]
)
def test_a_secret_stays_goes_or_is_new(sent: dict[str, str], kept: dict[str, Any]) -> None:
    assert {name: value for name, value in read(SCHEMA, sent).items() if name == "password"} == kept


def test_a_scope_is_read_without_its_empty_parts() -> None:
    sent = {"scope.product": "p", "scope.group": "", "scope.devices": "a, b;c\na", "scope.labels": "floor: 2\n"}

    assert read_scope(sent) == {"product": "p", "devices": ["a", "b", "c"], "labels": {"floor": "2"}}
    assert read_scope({}) == {}


def test_every_title_of_a_setting_is_in_chinese() -> None:
    specs = [spec for table in (FORWARDERS, CHANNELS) for adapter in table.values() for spec in adapter.SETTINGS["properties"].values()]
    same = {"QoS", "TLS"}
    with translation.override("zh-hans"):
        assert {spec["title"] for spec in specs if translation.gettext(spec["title"]) == spec["title"]} <= same
