"""A real Chromium on the running product: every visit notes what goes wrong on its page."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect, sync_playwright

from tests.flows.platform import Platform
from tests.services import Services

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
expect.set_options(timeout=20_000)  # ms: the machine does much else meanwhile, and what comes is seen as soon as it comes
CALM, PATIENCE = 0.2, 60.0  # s: nothing loads for so long, not even what its live connection makes a page fetch; how long that may take
WIDTHS = {"wide": (1440, 900), "phone": (390, 844)}
# What can be right in a wide window and wrong in a narrow one: what is folded away, moved into menus, made small or scrolled.
LAYOUT_RULES: tuple[str, ...] = (
    "target-size",
    "scrollable-region-focusable",
    "aria-hidden-focus",
    "button-name",
    "link-name",
    "label",
    "aria-command-name",
)
LAYOUT_RULES += ("duplicate-id-aria", "meta-viewport", "landmark-unique", "region", "nested-interactive", "tabindex", "empty-heading")


@pytest.fixture(scope="session")
def platform(services: Services) -> Platform:
    """The whole product, running, with its administrator signed in."""
    return Platform(services)


# Not beyond this folder: Playwright keeps an event loop running, in which Django refuses to touch the database.
@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """The browser. As root it needs its sandbox off; no page here comes from elsewhere."""
    with sync_playwright() as playwright:
        program = os.environ.get("IOTPANEL_CHROMIUM", "/usr/bin/chromium")
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


class Visit:
    """A person at a browser window."""

    def __init__(self, context: BrowserContext, url: str, width: str, theme: Any) -> None:
        self.context, self.url, self.width, self.theme = context, url, width, theme
        self.page: Page = context.new_page()
        self.problems: list[str] = []
        self.page.on("console", lambda said: self.problems.append(said.text) if said.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.loading: set[Request] = set()
        self.page.on("request", lambda request: self.loading.add(request))
        self.page.on("requestfinished", lambda request: self.loading.discard(request))
        self.page.on("requestfailed", lambda request: self.loading.discard(request))

    def sign_in(self, username: str, password: str) -> None:
        self.page.goto(f"{self.url}/accounts/login/")
        self.page.fill("input[name=login]", username)
        self.page.fill("input[name=password]", password)
        with self.page.expect_navigation():
            self.page.press("input[name=password]", "Enter")

    def open(self, path: str) -> Page:
        """Go there and wait until nothing is loading any more."""
        self.loading.clear()
        self.page.goto(f"{self.url}{path}")
        self.settle()
        return self.page

    def settle(self) -> None:
        """Wait until nothing has been loading for a moment. Playwright's own wait names nothing that it waits for."""
        busy = started = time.monotonic()
        while (now := time.monotonic()) - busy < CALM:
            assert now - started < PATIENCE, f"{self.page.url} never answered {sorted(each.url for each in self.loading)}"
            self.page.wait_for_timeout(20)
            busy = time.monotonic() if self.loading else busy

    def sideways(self) -> int:
        """By how many pixels the page is wider than its window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))

    def axe(self, *rules: str) -> list[str]:
        """What axe-core finds, by all rules or by these, whatever its severity. Run by the debugger, which no content policy stops."""
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE.read_text() + "; void 0")
        # Else it describes every node that is right too, and reads every style sheet for an experimental rule that is off.
        options: dict[str, Any] = {"resultTypes": ["violations"], "preload": {"assets": ["media"]}}
        options |= {"runOnly": list(rules)} if rules else {}
        found: list[dict[str, Any]] = self.page.evaluate("(options) => axe.run(options).then((result) => result.violations)", options)
        return [f"{each['id']}: {node['target']} {node['failureSummary']}" for each in found for node in each["nodes"]]

    def findings(self) -> list[str]:
        """What is wrong in this width: axe-core's findings, and a page that is wider than its window.

        All rules in the theme that is on, and in the other one, into which the page changes while it is open, that on
        colours. On a phone only what the narrow layout decides: no colour of ours depends on the width.
        """
        found = self.axe(*LAYOUT_RULES) if self.width == "phone" else self.axe() + self.axe_in_the_other_theme()
        return found + [f"{too_wide} px too wide for {self.width}" for too_wide in [self.sideways()] if too_wide > 0]

    def findings_in_both_widths(self) -> list[str]:
        """The same, and then in the other width, into which the page changes while it is open."""
        found = self.findings()
        before = self.width
        self.resize("wide" if before == "phone" else "phone")
        found += self.findings()
        self.resize(before)
        return found

    def resize(self, width: str) -> None:
        self.width = width
        self.page.set_viewport_size({"width": WIDTHS[width][0], "height": WIDTHS[width][1]})

    def axe_in_the_other_theme(self) -> list[str]:
        other: Any = "dark" if self.theme == "light" else "light"
        self.page.emulate_media(color_scheme=other)
        found = self.axe("color-contrast")
        self.page.emulate_media(color_scheme=self.theme)
        return found


@pytest.fixture(scope="session")
def sessions() -> dict[tuple[str, str], Any]:
    """The cookies of people who have signed in before: the form and the slow hash once for each, not once for each window."""
    return {}


@pytest.fixture
def visit(chromium: Browser, platform: Platform, sessions: dict[tuple[str, str], Any]) -> Iterator[Callable[..., Visit]]:
    """Open a window: `visit(width="phone", theme="dark", language="zh-hans", who=(name, password))`; the administrator's by default."""
    contexts: list[BrowserContext] = []

    def start(width: str = "wide", theme: str = "light", language: str = "en", who: tuple[str, str] | None = None) -> Visit:
        size = dict(zip(("width", "height"), WIDTHS[width], strict=True))
        phone = width == "phone"
        looks: dict[str, Any] = {
            "viewport": size,
            "color_scheme": theme,
            "is_mobile": phone,
            "has_touch": phone,
            "timezone_id": "Europe/Berlin",
        }
        context = chromium.new_context(**looks, reduced_motion="reduce")  # what moves is painted all the time
        contexts.append(context)
        context.add_cookies([{"name": "django_language", "value": language, "url": platform.services.url}])
        visit = Visit(context, platform.services.url, width, theme)
        person = who or ("admin", platform.services.password)
        if person in sessions:
            context.add_cookies(sessions[person])
        else:
            visit.sign_in(*person)
            sessions[person] = [cookie for cookie in context.cookies() if cookie["name"] in ("iotpanel_session", "csrftoken")]
        return visit

    yield start
    for context in contexts:
        context.close()
