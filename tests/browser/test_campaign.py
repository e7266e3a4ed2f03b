"""A campaign in a real browser: started by the form, its canary fails, and the page says by itself that it has stopped."""

import json
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.test_device_downlink import keep
from tests.flows.platform import Connection, Platform
from tests.services import eventually

Start = Callable[..., Visit]


def refuses(connection: Connection) -> None:
    """A device that says of every update that it failed."""

    def answer(_client: Any, _userdata: Any, message: Any) -> None:
        if message.topic.endswith("/down/ota"):
            version = json.loads(message.payload)["version"]
            connection.publish(connection.account.topic("ota"), {"version": version, "state": "failed", "error": "no room"})

    connection.client.on_message = answer
    connection.client.subscribe(f"devices/{connection.account.key}/down/#", qos=1)
    connection.say("status", b"online")


def test_a_campaign_reaches_its_canary_limit_and_stops(visit: Start, platform: Platform) -> None:
    product = platform.product()
    accounts = [platform.new_device(product) for _ in range(10)]
    image = {"file": ("image.bin", b"image" * 1_000)}
    answer = platform.http.post("/api/v1/firmware/", data={"product": product, "version": "2.0.0"}, files=image)
    assert answer.status_code == 201, answer.text
    eventually(lambda: platform.may_sign_in(accounts[-1]))
    with ExitStack() as stack:
        for account in accounts[:3]:
            refuses(stack.enter_context(platform.connect(account)))
        eventually(lambda: all(map(platform.is_online, accounts[:3])))
        window = visit()
        page = window.open(f"/products/{product}/firmware/")
        keep(page, "firmware")
        page.click("text=Roll out")
        page.fill("#job-canary_percent", "30")
        page.click("text=Preview")
        expect(page.locator("#job-preview")).to_contain_text("Online now")
        expect(page.locator("#job-preview")).to_contain_text("3 · 7")
        keep(page, "job-form")
        assert window.axe() == []
        page.click("text=Start the job")
        expect(page.locator("#progress")).to_have_text("Aborted", timeout=30_000)
    expect(page.locator("#job")).to_contain_text("the canary reached its limit of failures")
    expect(page.locator("#job")).to_contain_text("the device said that it failed: no room")
    expect(page.locator(".job-waves tr").first).to_contain_text("canary")
    expect(page.locator(".job-waves [data-closed]")).to_have_count(1)
    keep(page, "job-aborted")
    assert window.axe() == []
    assert window.problems == []
