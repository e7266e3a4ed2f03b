"""What is wrong with a rule, in the reader's language: the compiler's problems and those of JSON Schemas, with the field named."""

from typing import Any

import pytest
from django.utils import translation

from iotpanel.tenants.models import Tenant, User
from rules.actions import ACTIONS
from rules.compiled import compile_rule
from rules.problem_words import first_wrong, said
from rules.problems import BadRule
from tests.rest import Rest, refused
from tests.rules.make import make_freezer, make_rule

BODY: dict[str, Any] = {"scope": {"product": "p"}, "when": {"property": "t", "op": ">", "value": 5}, "actions": [{"kind": "alarm"}]}


def problem(**changes: Any) -> BadRule:
    with pytest.raises(BadRule) as caught:
        compile_rule(BODY | changes)
    return caught.value


@pytest.mark.parametrize(
    ("changes", "english", "chinese"),
    [
        ({"when": {"property": "t", "op": ">", "value": "x"}}, "“>” compares numbers", "“>”只能比较数字"),
        ({"for": "400d"}, "more than zero and at most 31d", "应大于零且不超过 31d"),
        ({"scope": {"devices": []}}, "a list of 1 to 1000 device keys", "应为 1 到 1000 个设备标识的列表"),
        ({"trigger": {"kind": "schedule", "cron": "61 * * * *"}}, "minute: “61” is none of 0 to 59", "minute：“61”不在 0 到 59 之间"),
    ],
)
def test_a_problem_is_said_in_both_languages(changes: dict[str, Any], english: str, chinese: str) -> None:
    error = problem(**changes)
    with translation.override("en"):
        assert said(error) == error.message == english
    with translation.override("zh-hans"):
        assert said(error) == chinese


def test_what_a_person_wrote_is_no_template() -> None:
    error = problem(when={"property": "t", "op": "matches", "value": "100%("})

    assert "%(why)s" not in said(error)
    assert said(BadRule("x", "100% of %(this)s is the sandbox's word")) == "100% of %(this)s is the sandbox's word"


@pytest.mark.parametrize(
    ("kind", "given", "path", "words"),
    [
        ("notify", {}, ["channel"], "This is needed."),
        ("notify", {"channel": "one"}, ["channel"], "This must be: a whole number."),
        ("alarm", {"severity": "awful"}, ["severity"], "One of: critical, major, minor, warning, info."),
        ("alarm", {"colour": "red"}, ["colour"], "This is not known here"),
        ("webhook", {"url": "ftp://x"}, ["url"], "An address such as https://example.org/in"),
        ("webhook", {"url": "https://user:secret@x.example/"}, ["url"], "An address such as"),
        ("mqtt", {"topic": "", "template": "x"}, ["topic"], "This must not be empty."),
        ("scene", {"steps": []}, ["steps"], "This must not be empty."),
    ],
)
def test_a_schema_names_the_field(kind: str, given: dict[str, Any], path: list[str], words: str) -> None:
    found = first_wrong(ACTIONS[kind].SETTINGS, given)

    assert found is not None
    assert list(found.path) == path
    assert found.words.startswith(words)
    assert first_wrong(ACTIONS["alarm"].SETTINGS, {}) is None


def test_rest_answers_in_the_language_of_the_request(owner: User, tenant: Tenant) -> None:
    make_freezer(tenant)
    body = {"name": "x", **make_rule(tenant).body, "for": "soon"}
    api = Rest(owner)

    assert refused(api.post("rules/", body), 400, "invalid")["for"] == ["write a time such as “30s”, “5m”, “1h” or “1d”"]
    api.headers |= {"Accept-Language": "zh-hans"}
    answer = api.post("rules/", body)
    assert answer.json()["details"]["for"] == ["请写成“30s”、“5m”、“1h”或“1d”这样的时长"]
