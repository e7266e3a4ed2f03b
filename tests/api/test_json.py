"""JSON in and out: strict where PostgreSQL is, and never a fault."""

import datetime
import io
from typing import Any, cast

import pytest
from django.utils.translation import gettext_lazy
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.exceptions import ParseError, ValidationError

from iotpanel.api.errors import TooLarge
from iotpanel.api.json import MAX_BODY, JsonParser, JsonRenderer, holds_nul

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=4),
    max_leaves=12,
)


def parse(raw: bytes) -> Any:
    return JsonParser().parse(io.BytesIO(raw))


@given(JSON)
def test_what_goes_out_comes_in_again(value: Any) -> None:
    if value is None:
        assert JsonRenderer().render(value) == b""
    elif holds_nul(value):
        with pytest.raises((ParseError, ValidationError)):
            parse(JsonRenderer().render(value))
    else:
        assert parse(JsonRenderer().render(value)) == value


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"NaN", b"1e999", b'"\\ud800"', b'{"a\\u0000": 1}', b'["x\\u0000"]', b"[" * 5000, b"\xff", b"{'a': 1}"]
)
def test_what_is_not_strict_json_is_a_parse_error(raw: bytes) -> None:
    with pytest.raises(ParseError):
        parse(raw)


@pytest.mark.parametrize("body", [{"key": "a", "name": "x\0"}, {"name": {"a": ["\0"]}}, {"name": "\0", "\0": 1}])
def test_a_field_with_u0000_is_named(body: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as refused:
        parse(JsonRenderer().render(body))
    assert list(cast(dict[str, Any], refused.value.detail)) == ["name"]


def test_an_escaped_backslash_before_u0000_is_text() -> None:
    assert parse(rb'"\\u0000"') == "\\u0000"


def test_a_body_has_an_end() -> None:
    assert parse(b'"' + b"x" * (MAX_BODY - 2) + b'"')
    with pytest.raises(TooLarge):
        parse(b'"' + b"x" * (MAX_BODY - 1) + b'"')


def test_times_lazy_texts_and_huge_numbers_are_written() -> None:
    at = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
    written = JsonRenderer().render({"at": at, "text": gettext_lazy("Name"), "big": 2**70, 5: "key"})
    assert parse(written) == {"at": "2026-01-02T03:04:05Z", "text": "Name", "big": 2.0**70, "5": "key"}
