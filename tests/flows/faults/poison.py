"""Messages that nobody can store, of every form, each with the reason that its dead letter has to give."""

import json
import random
from typing import Any, NamedTuple

from .talk import Message

PRODUCT = {
    "thing_model": {
        "properties": [
            {"key": "n", "name": "n", "type": "number"},
            {"key": "level", "name": "level", "type": "number", "min": 0, "max": 100},
            {"key": "mode", "name": "mode", "type": "text", "enum": ["auto", "manual"]},
        ]
    }
}
SCRIPT = """
-- %s
local bad = {
    hang = function() while true do end end,
    hangover = function() while true do pcall(function() while true do end end) end end,
    err = function() error("no such frame") end,
    memory = function() local all = {} while true do all[#all + 1] = string.rep("x", 100000) end end,
    recursion = function() local function down() return 1 + down() end return down() end,
    nan = function() return {n = 0 / 0} end,
    infinite = function() return {n = 1 / 0} end,
    bytes = function() return {n = 1, text = "\\255"} end,
    func = function() return {n = print} end,
    mixed = function() return {[1] = 1, n = 2} end,
    deep = function() local value = {} for _ = 1, 40 do value = {value = value} end return {n = 1, value = value} end,
    text = function() return "n" end,
}
function decode(payload)
    local kind, n, ts = payload:match("^(%%a+) (%%d+) (%%d+)$")
    if bad[kind] then return bad[kind]() end
    return {{ts = tonumber(ts), values = {n = tonumber(n)}}}
end
"""
REFUSE = """
    CREATE FUNCTION fault_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.values ? 'forbidden' THEN RAISE EXCEPTION 'forbidden' USING ERRCODE = 'check_violation'; END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER fault_refuse BEFORE INSERT ON telemetry_report FOR EACH ROW EXECUTE FUNCTION fault_refuse();
"""


class Poison(NamedTuple):
    payload: bytes
    reason: str
    kind: str = "telemetry"
    listed: bool = False  # said as an entry of a list, between reports that can be stored


def json_poison(ts: int) -> list[Poison]:
    """Poison for a product that talks JSON. `ts` is a time in ms that is fine."""

    def timed(**values: Any) -> bytes:
        return json.dumps({"ts": ts, "values": values}).encode()

    def at(when: Any) -> bytes:
        return json.dumps({"ts": when, "values": {"n": -1}}).encode()

    return [
        Poison(b"", "not_json"),
        Poison(b'{"n": -1', "not_json"),
        Poison(b"{n: -1}", "not_json"),
        Poison(b"\xff\xfe{}", "not_json"),
        Poison(b'{"n": -1}\x00', "not_json"),
        Poison(b"NaN", "not_json"),
        Poison(b'{"n": NaN}', "bad_value"),
        Poison(b'{"n": -Infinity}', "bad_value"),
        Poison(b'{"text": "\xed\xa0\x80"}', "not_json"),
        Poison(b'{"text": "\\ud800"}', "not_json"),
        Poison(b"5", "bad_shape"),
        Poison(b'"n"', "bad_shape"),
        Poison(b'{"ts": 1767225600000}', "bad_shape"),
        Poison(b'{"values": 5}', "bad_shape"),
        Poison(b'{"n": 1e400}', "bad_value"),
        Poison(b'{"n": 1%s}' % (b"0" * 400), "bad_value"),
        Poison(timed(text="nul \0 nul"), "bad_value"),
        Poison(timed(shape={"key\0": 1}), "bad_value"),
        Poison(timed(n="-1"), "bad_value"),
        Poison(timed(n=True), "bad_value"),
        Poison(timed(level=101), "out_of_range"),
        Poison(timed(mode="off"), "out_of_range"),
        Poison(b"[" * 100_000, "too_deep"),
        Poison(b'{"a":' * 40 + b"1" + b"}" * 40, "too_deep"),
        Poison(timed(**{f"p{number}": 1 for number in range(1_001)}), "too_many_properties"),
        Poison(at(1), "bad_timestamp"),
        Poison(at("yesterday"), "bad_timestamp"),
        Poison(at(True), "bad_timestamp"),
        Poison(at(ts + 3 * 86_400_000), "bad_timestamp"),
        Poison(timed(n=-1), "unknown_topic", "nonsense"),
        Poison(timed(n=-1, forbidden=1), "store_refused"),
    ]


def poison_in_lists(ts: int) -> list[Poison]:
    """Reports that are poison for the same product as an entry of a list; the dead letter has the entry, as compact JSON."""
    entries: dict[str, Any] = {
        "bad_value": {"ts": ts, "values": {"n": "-1"}},
        "out_of_range": {"ts": ts, "values": {"level": 101}},
        "bad_timestamp": {"ts": 1, "values": {"n": -1}},
        "bad_shape": 5,
        "store_refused": {"ts": ts, "values": {"n": -1, "forbidden": 1}},
    }
    return [Poison(json.dumps(entry, separators=(",", ":")).encode(), reason, listed=True) for reason, entry in entries.items()]


def between(before: Message, poison: Poison, after: Message) -> Message:
    """One message: an entry that cannot be stored between reports that can."""
    first, last = (body if isinstance(body := json.loads(each.payload), list) else [body] for each in (before, after))
    return Message(json.dumps([*first, json.loads(poison.payload), *last]).encode(), [*before.numbers, *after.numbers])


def lua_poison() -> list[Poison]:
    """Poison for a product with SCRIPT. Two of them hang: a third would send the script into quarantine."""
    reasons = {
        "hang": "codec_timeout",
        "hangover": "codec_timeout",
        "err": "codec_error",
        "recursion": "codec_memory",
        "memory": "codec_memory",
        **dict.fromkeys(("nan", "infinite", "bytes", "func", "mixed", "deep", "text"), "codec_result"),
    }
    return [Poison(b"%s 1 1" % kind.encode(), reason, "raw") for kind, reason in reasons.items()]


def scattered(chance: random.Random, good: int, bad: list[Poison]) -> list[Poison | None]:
    """An order in which to say `good` messages (None) and these bad ones."""
    order: list[Poison | None] = [None] * good + list(bad)
    chance.shuffle(order)
    return order
