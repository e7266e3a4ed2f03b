"""A rule by clicking: built, read as a sentence, tried over the past, switched on; its alarm appears by itself."""

import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.flows.platform import Platform
from tests.services import eventually

Start = Callable[..., Visit]
MODEL: dict[str, Any] = {
    "properties": [
        {"key": "t", "name": "Temperature", "type": "number", "unit": "°C"},
        {"key": "door", "name": "Door", "type": "boolean"},
    ],
    "commands": [{"key": "set-fan", "name": "Set fan", "params": [{"key": "speed", "name": "Speed", "type": "number", "required": True}]}],
}
HOUR = 3_600_000


def test_a_rule_is_built_tried_switched_on_and_raises_its_alarm(visit: Start, platform: Platform) -> None:
    product = platform.product(thing_model=MODEL)
    device = platform.device(product)
    now = int(time.time() * 1000)
    with platform.connect(device) as connection:
        past = [(hours, 9.0 if hours in (30, 20) else 4.0) for hours in range(40, 1, -1)]
        connection.say("telemetry", [{"ts": now - hours * HOUR, "values": {"t": value, "door": False}} for hours, value in past])
        eventually(lambda: platform.latest(device).get("t") == 4.0)
        window = visit()
        page = window.open(f"/rules/-/new/?product={product}")
        page.fill("#rule-name", "Too warm by clicking")
        page.locator("[data-field='when.value']").fill("8")
        page.locator("[data-field='actions.0.severity']").select_option("critical")
        page.locator("[data-field='actions.0.message']").fill("Warm room")

        expect(page.locator("[data-rule=sentence]")).to_have_text(
            f"On any {product}, when Temperature is above 8 °C, raise the alarm Critical: Warm room."
        )
        expect(page.locator("[data-rule=facts]")).to_contain_text("2 times")
        expect(page.locator(".strip .fire")).to_have_count(2)
        expect(page.locator("[data-rule=known]")).to_contain_text("eadings")
        page.get_by_role("button", name="Switch on").click()
        expect(page.locator(".page-header .badge", has_text="on").first).to_be_visible()

        alarms = window.open("/alarms/")
        expect(alarms.locator("[data-live]")).to_have_attribute("data-state", "live")
        connection.say("telemetry", {"t": 11.5, "door": False})
        row = alarms.locator(".alarm", has_text="Warm room")
        expect(row).to_be_visible()
        row.click()
        alarms.get_by_role("button", name="Acknowledge", exact=True).click()
        expect(alarms.locator(".timeline")).to_contain_text("admin acknowledged it")
        connection.say("telemetry", {"t": 2, "door": False})
        expect(alarms.locator(".timeline")).to_contain_text("The condition is gone")
    assert window.problems == []


def test_what_is_wrong_is_said_while_typing_and_every_action_is_added_by_clicking(visit: Start, platform: Platform) -> None:
    product = platform.product(thing_model=MODEL)
    page = visit().open(f"/rules/-/new/?product={product}")

    expect(page.locator("[data-rule=problems]")).to_contain_text("If say what it is compared with")
    expect(page.get_by_role("button", name="Switch on")).to_be_disabled()
    page.locator("[data-field='when.value']").fill("8")
    expect(page.locator("[data-rule=problems]")).to_be_hidden()
    page.get_by_role("button", name="Condition", exact=True).click()
    page.get_by_label("What is compared").nth(1).select_option("property:door")
    expect(page.locator("[data-rule=sentence]")).to_contain_text("and Door is on")

    page.get_by_text("Add an action", exact=True).click()
    page.locator("[data-add=command]").last.click()
    page.locator("[data-field='actions.1.params.speed']").fill("40")
    expect(page.locator("[data-rule=sentence]")).to_contain_text("and send the command Set fan")
    page.get_by_text("Add an action", exact=True).click()
    page.locator("[data-add=scene]").last.click()
    page.get_by_text("Add a step", exact=True).click()
    page.locator("[data-add=wait]").last.click()
    expect(page.locator("[data-rule=sentence]")).to_contain_text("run the scene of 2 steps")
    expect(page.locator("[data-rule=problems]")).to_be_hidden()
    page.get_by_label("Name", exact=True).fill("Fan")
    page.get_by_role("button", name="Save draft").click()
    expect(page.locator(".crumbs")).to_contain_text("Fan")
    found = platform.get("rules/", search="Fan")["results"][0]["actions"]
    assert found[1:] == [
        {"kind": "command", "name": "set-fan", "params": {"speed": 40}},
        {"kind": "scene", "steps": [found[2]["steps"][0], {"wait": "30s"}]},
    ]
