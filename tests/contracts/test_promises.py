"""The numbers and words that devices, scripts and programs count on: whoever changes one here breaks somebody's code."""

import pytest
from django.conf import settings

from devices import thing_model
from devices.codecs import json
from devices.codecs.lua import limits
from devices.downlink import commands
from devices.exceptions import Invalid
from devices.models import CommandState
from devices.timestamps import parse_ts
from devices.topics import is_device_key
from iotpanel.api import pagination, throttling
from iotpanel.local import mosquitto
from iotpanel.pages.reasons import REASONS
from iotpanel.tenants.api import signatures
from iotpanel.tenants.models import Role
from rules.models import Severity
from telemetry.api import readings

DEAD_LETTER_REASONS = """
    unknown_device unknown_child unknown_topic unknown_property unknown_event unknown_command unexpected_reply wrong_device not_json
    bad_shape too_large too_deep too_many_properties bad_value out_of_range bad_timestamp codec_error codec_timeout codec_memory
    codec_result store_refused
"""


def test_the_words() -> None:
    assert sorted(REASONS) == sorted(DEAD_LETTER_REASONS.split())
    assert set(CommandState.values) == {"queued", "sent", "delivered", "succeeded", "failed", "timed_out", "expired", "cancelled"}
    assert Role.values == ["viewer", "operator", "admin", "owner"]
    assert Severity.values == ["critical", "major", "minor", "warning", "info"]


def test_how_often_and_how_much_one_may_ask() -> None:
    assert (throttling.PER_USER, throttling.PER_ADDRESS, throttling.WINDOW) == (600, 60, 60)
    assert settings.AXES_FAILURE_LIMIT == 10
    assert settings.AXES_COOLOFF_TIME.total_seconds() == 15 * 60
    assert (pagination.DEFAULT_LIMIT, pagination.MAX_LIMIT, readings.MAX_LIMIT) == (100, 500, 10_000)
    assert signatures.WINDOW == 300


def test_what_a_script_may_use() -> None:
    assert (limits.SCRIPT_BYTES, limits.FRAME_BYTES, limits.TRIAL_SECONDS) == (64 * 1024, 256 * 1024, 2.0)
    promised = {"seconds": 0.1, "memory": 16 * 1024 * 1024, "result_nodes": 10_000, "result_depth": 8}
    assert {name: limits.IN_CHILD[name] for name in promised} == promised


def test_how_large_a_message_may_be_and_how_long_a_command_waits() -> None:
    assert (thing_model.MAX_PROPERTIES, json.MAX_DEPTH) == (1_000, 32)
    assert (commands.EXPIRES_IN, commands.TIMEOUT) == (86_400, 30)
    assert mosquitto.PACKET >= 1024 * 1024


@pytest.mark.parametrize(
    ("ts", "microseconds"),
    [
        (1767225600, 0),
        (1767225600.25, 250_000),
        (1767225600000, 0),
        (1767225600000.125, 125),
        (1767225600000001, 1),
        (1767225600000001000, 1),
        ("2026-01-01T01:00:00.000001+01:00", 1),
    ],
)
def test_a_time_says_its_unit_by_its_size(ts: float | str, microseconds: int) -> None:
    new_year = 1767225600 * 1_000_000
    assert parse_ts(ts, received_at=new_year) == new_year + microseconds


def test_a_time_is_at_most_ten_years_old_and_a_day_ahead() -> None:
    now, day = 1767225600 * 1_000_000, 86_400 * 1_000_000
    for at in (now + day, now - 3_652 * day):
        assert parse_ts(at, received_at=now) == at
    for at in (now + day + 1_000_000, now - 3_654 * day):
        with pytest.raises(Invalid) as refused:
            parse_ts(at, received_at=now)
        assert refused.value.code == "bad_timestamp"


FITTING, UNFIT = ["a", "00-1A.b_2", "x" * 64], ["x" * 65, "-a", "a/b", "é", "", "iotpanel-x"]


@pytest.mark.parametrize(("key", "fits"), [(key, key in FITTING) for key in FITTING + UNFIT])
def test_what_a_device_may_be_called(key: str, fits: bool) -> None:
    assert is_device_key(key) is fits
