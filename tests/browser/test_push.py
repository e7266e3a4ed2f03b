"""Being told in a browser: what the account's page offers, and what the worker makes of a message. No push service is asked."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from tests.flows.platform import Platform
from tests.rules.fakes import AUTH, POINT

from .conftest import Visit

# What the worker would show is noted in its place: a browser without a screen has nowhere to show it.
NOTE = "self.shown = []; self.registration.showNotification = async (title, options) => { self.shown.push([title, options]); }; void 0"
# A browser that would ask, and whose person says no.
ASK = """self.asked = 0; Object.defineProperty(Notification, "permission", { get: () => "default" });
Notification.requestPermission = async () => { self.asked += 1; return "denied"; };"""
GOOD = {"title": "Too warm", "body": "critical\n31.5", "severity": "critical", "url": "/alarms/7/", "lang": "en", "tag": "t"}
# The browser's own push service is nowhere: subscriptions are made up, and the event is handed to the worker as it would be.
CHANGE = """async ({ before, after, keys }) => {
    const made = (endpoint) => endpoint && { endpoint, toJSON: () => ({ endpoint, keys }) };
    self.subscribed = 0;
    self.PushManager.prototype.subscribe = async ({ applicationServerKey }) => {
        self.subscribed = applicationServerKey.length;
        return made("https://push.example.org/third");
    };
    const change = new Event("pushsubscriptionchange"), wait = [];
    Object.assign(change, { oldSubscription: made(before), newSubscription: made(after), waitUntil: (each) => wait.push(each) });
    self.dispatchEvent(change);
    const [done] = await Promise.allSettled(wait);
    return [done.status, self.subscribed, String(done.reason ?? "")];
}"""
HOSTILE = ["https://evil.example.org/", "//evil.example.org/", "javascript:alert(1)", "data:text/html,x", "\\\\evil.example.org", 7, None]


def push(page: Page, *messages: str) -> None:
    """Hands messages to the worker as the browser's own push service does."""
    debugger = page.context.new_cdp_session(page)
    registrations: list[Any] = []
    debugger.on("ServiceWorker.workerRegistrationUpdated", lambda said: registrations.extend(said["registrations"]))
    debugger.send("ServiceWorker.enable")
    while not registrations:
        page.wait_for_timeout(20)
    for message in messages:
        found = {"origin": registrations[0]["scopeURL"].rstrip("/"), "registrationId": registrations[0]["registrationId"]}
        debugger.send("ServiceWorker.deliverPushMessage", {**found, "data": message})


def test_a_person_is_told_in_a_browser(visit: Callable[..., Visit], platform: Platform) -> None:
    window = visit(width="phone", language="zh-hans")
    page = window.open("/account/")
    section = page.locator("[data-push]")
    assert page.evaluate("Notification.permission") == "denied"  # as this browser is without being asked
    expect(section.locator("[data-push-says=blocked]")).to_contain_text("本站的通知被屏蔽")
    expect(section.locator("[data-push-start]")).to_be_hidden()
    assert window.findings_in_both_widths() == []

    page.add_init_script(ASK)
    page = window.open("/account/")
    assert page.evaluate("self.asked") == 0  # not before somebody wants it
    page.get_by_role("button", name="在此浏览器中通知我").click()
    expect(section.locator("[data-push-problem]")).to_contain_text("浏览器不允许")
    assert page.evaluate("self.asked") == 1
    assert window.findings_in_both_widths() == []
    page.evaluate("navigator.serviceWorker.ready")
    (worker,) = window.context.service_workers
    worker.evaluate(NOTE)
    push(page, json.dumps(GOOD), *(json.dumps(GOOD | {"url": url}) for url in HOSTILE), "no JSON", "[1]", "null")
    wanted = 1 + len(HOSTILE) + 3
    while worker.evaluate("self.shown.length") < wanted:
        page.wait_for_timeout(20)
    shown = worker.evaluate("self.shown")

    title, options = shown[0]
    assert (title, options["body"], options["requireInteraction"]) == ("Too warm", "critical\n31.5", True)
    assert [each["data"]["url"] for _title, each in shown] == [f"{window.url}/alarms/7/"] + [f"{window.url}/"] * (wanted - 1)
    assert all(title in ("Something new on iotpanel", "iotpanel 有新消息") for title, _options in shown[-3:])
    clicked = "(url) => { const click = new Event('notificationclick'); const wait = []; click.waitUntil = (each) => wait.push(each);"
    clicked += " click.notification = { close() {}, data: { url } }; self.clients.openWindow = async (to) => { self.opened = to; };"
    clicked += " self.dispatchEvent(click); return Promise.allSettled(wait).then(() => self.opened ?? ''); }"
    assert worker.evaluate(clicked, f"{window.url}/alarms/7/") == f"{window.url}/alarms/7/"


def test_a_browser_that_replaces_its_subscription_stays_set_up(visit: Callable[..., Visit], platform: Platform) -> None:
    window = visit()
    page = window.open("/account/")
    page.evaluate("navigator.serviceWorker.ready")
    (worker,) = window.context.service_workers
    keys = {"p256dh": POINT, "auth": AUTH}

    def change(before: str | None, after: str | None) -> list[Any]:
        return list(worker.evaluate(CHANGE, {"before": before, "after": after, "keys": keys}))

    def told() -> list[str]:
        window.open("/account/")
        return [str(row.get_attribute("data-browser")) for row in page.locator("[data-browser]").all()]

    def digest(name: str) -> str:
        return hashlib.sha256(f"https://push.example.org/{name}".encode()).hexdigest()

    first, second = "https://push.example.org/first", "https://push.example.org/second"
    assert change(first, second) == ["fulfilled", 0, ""]  # nobody is told here, and nobody is then
    assert told() == []
    sent = f"endpoint={first}&p256dh={POINT}&auth={AUTH}"
    made = """async (sent) => { const { url, token } = document.querySelector("[data-push]").dataset;
        const body = new URLSearchParams(`${sent}&csrfmiddlewaretoken=${token}`);
        return (await fetch(url, { method: "POST", body })).status; }"""
    assert page.evaluate(made, sent) == 201
    assert change(first, second) == ["fulfilled", 0, ""]
    assert told() == [digest("second")]
    # Neither is said what there was nor what there is: it is noted, and subscribed anew with the server's key.
    assert change(None, None) == ["fulfilled", 65, ""]
    assert told() == [digest("third")]
    window.context.clear_cookies()
    assert change("https://push.example.org/third", second)[0] == "rejected"  # signed out: to be tried by nobody else
