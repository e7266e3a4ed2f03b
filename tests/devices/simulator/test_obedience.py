"""Simulated devices answer their downlink as the contract says, and know the commands of their products."""

import json

import pytest

from devices.catalog import load
from devices.simulator.kinds import KINDS
from devices.simulator.obedience import answers
from devices.thing_model_parser import parse

COLD = KINDS["cold"]("cold-1", 1)


def test_a_command_is_answered() -> None:
    (message,) = answers(COLD, ["commands", "17"], b'{"name": "start-defrost", "params": {"minutes": 5}}')

    assert message.topic == "commands/17/reply"
    assert json.loads(message.payload) == {"status": "ok", "result": {"done": "start-defrost", "minutes": 5}}


def test_one_that_it_does_not_know_is_refused() -> None:
    (message,) = answers(COLD, ["commands", "17"], b'{"name": "fly", "params": {}}')

    assert json.loads(message.payload)["status"] == "error"


def test_a_gateway_answers_for_its_child() -> None:
    gateway = KINDS["gateway"]("gateway-1", 1)
    (message,) = answers(gateway, ["gateway", "heat-1", "commands", "17"], b'{"name": "read-now", "params": {}}')

    assert message.topic == "gateway/commands/17/reply"
    assert json.loads(message.payload)["heat-1"]["status"] == "ok"


def test_what_is_desired_is_reported() -> None:
    (message,) = answers(COLD, ["shadow"], b'{"delta": {"interval": 5}, "version": 3}')

    assert json.loads(message.payload) == {"reported": {"interval": 5}, "version": 3}
    assert answers(COLD, ["shadow"], b'{"delta": {}, "version": 3}') == []


@pytest.mark.parametrize(("levels", "payload"), [(["commands", "1"], b"{"), (["ota"], b"{}"), ([], b"{}"), (["raw"], b"{}")])
def test_what_it_does_not_understand_is_left_alone(levels: list[str], payload: bytes) -> None:
    assert answers(COLD, levels, payload) == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_device_knows_its_products_commands(kind: str) -> None:
    device = KINDS[kind]("x-1", 1)

    for name in parse(load(device.product)["thing_model"]).commands:
        assert device.obey(name, {})
