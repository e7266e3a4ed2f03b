"""A dead letter in a real browser: the sentence that the device was told stands there, whatever it sent, and the page fits."""

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.flows.platform import Platform

MODES = ["heat", "cool", "<b>dry</b>", "fan", "off", "eco", "boost"]


def test_who_sent_what_is_not_allowed_is_told_what_is(visit: Callable[..., Visit], platform: Platform) -> None:
    mode = {"key": "mode", "name": "Mode", "type": "text", "enum": MODES}
    account = platform.device(platform.product(thing_model={"properties": [mode]}))
    body = {"mode": "<img src=x onerror=alert(1)>" + "w" * 200}
    answer = platform.services.client().post("/api/v1/device/telemetry", json=body, auth=account)
    sentence = answer.json()["message"]
    assert answer.status_code == 422
    assert sentence.endswith("…', which is none of 'heat', 'cool', '<b>dry</b>', 'fan', 'off' and 2 more")

    person = visit()
    page = person.open(f"/devices/{account.key}/dead-letters/")
    expect(page.locator("main")).to_contain_text("“mode” is '<img src=x")
    assert person.findings_in_both_widths() == []
    page = person.open(f"/dead-letters/?device={account.key}")
    assert person.findings_in_both_widths() == []
    expect(page.locator("table tbody tr")).to_have_count(1)
    page.locator("table tbody a.name").click()
    expect(page.locator(".notice b")).to_have_text(sentence)
    person.settle()
    assert person.findings_in_both_widths() == []
    assert person.problems == []
