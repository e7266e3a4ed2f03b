"""Short ways to run a script on one frame."""

from typing import Any

from devices.codecs import lua
from devices.exceptions import Invalid
from devices.messages import Decoded, Frame

AT = 1_767_225_600_000_000
PAYLOAD = bytes(range(16))


def make_frame(payload: bytes = PAYLOAD, **overrides: Any) -> Frame:
    values = {"topic": "devices/d1/up/raw", "device": "d1", "product": "p1", "port": None, "received_at": AT} | overrides
    return Frame(payload, **values)


def body(source: str) -> str:
    """A script whose `decode` is this."""
    return f"function decode(payload, topic, meta)\n{source}\nend"


def run(source: str, frame: Frame | None = None) -> dict[str, Any]:
    """The codec test's answer for one frame; it never puts a script into quarantine."""
    return lua.try_out(body(source), [frame or make_frame()])[0]


def values(source: str, frame: Frame | None = None) -> dict[str, Any]:
    """The values of the one report that the frame gave."""
    answer = run(source, frame)
    assert "error" not in answer, answer
    (report,) = answer["reports"]
    return report["values"]


def value(expression: str, frame: Frame | None = None) -> Any:
    """What one Lua expression comes to."""
    return values(f"return {{value = {expression}}}", frame)["value"]


def error(source: str) -> tuple[str, str]:
    """The reason and the detail of a frame that was refused."""
    answer = run(source)
    assert "error" in answer, answer
    return answer["error"]["code"], answer["error"]["message"]


def decode(script: str, *payloads: bytes) -> list[Decoded | Invalid]:
    return lua.decode(script, [make_frame(payload) for payload in payloads])
