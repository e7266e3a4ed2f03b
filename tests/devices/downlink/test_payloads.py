"""Topics and bytes of what goes down."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from devices.downlink import payloads
from devices.downlink.claims import Ready
from devices.exceptions import Invalid

AT = datetime(2026, 1, 1, tzinfo=UTC)
COMMAND = Ready(17, 1, "valve", 1, None, "set", {"level": 3}, AT, 30.0, False, False, 0, "json", "", [], True)


def body(**changes: Any) -> tuple[list[str], str, bytes]:
    return payloads.body(COMMAND._replace(**changes))


def test_json_by_the_contract() -> None:
    levels, own, data = body()

    assert (levels, own) == (["commands", "17"], "")
    assert orjson.loads(data) == {"name": "set", "params": {"level": 3}, "expires_at": 1_767_225_600_000}


def test_bytes_where_the_script_encodes_and_only_there() -> None:
    script = "function encode(command) return command.id .. command.name .. string.char(command.params.level) end"

    assert body(codec="lua", script=script) == (["raw"], "", b"17set\x03")
    assert body(codec="lua", script="function decode(payload) return {} end")[0] == ["commands", "17"]
    with pytest.raises(Invalid, match="codec_error"):
        body(codec="lua", script="function encode(command) error('no') end")
    with pytest.raises(Invalid, match="codec_result"):
        body(codec="lua", script="function encode(command) return 5 end")


def test_a_products_own_topic() -> None:
    topics = [{"topic": "tele/{key}/S", "kind": "telemetry"}, {"topic": "cmnd/{key}", "kind": "down/commands"}]
    levels, own, _ = body(topics=topics)

    assert payloads.ways("valve", None, {}, levels, own) == ["cmnd/valve"]


def test_a_child_is_reached_by_its_gateways_from_the_nearest_up_and_then_itself() -> None:
    gateways = {1: ("inner", 2), 2: ("outer", None)}

    assert payloads.ways("leaf", 1, gateways, ["shadow"]) == [
        "devices/inner/down/gateway/leaf/shadow",
        "devices/outer/down/gateway/leaf/shadow",
        "devices/leaf/down/shadow",
    ]
    assert payloads.ways("odd", 1, {1: ("loop", 1)}, ["shadow"])[0] == "devices/loop/down/gateway/odd/shadow"
