"""What a browser shows when it cannot reach us: one page that says so, kept by a service worker together with its looks.

The same worker shows what is pushed to a person's browser.

Nothing else is kept: no signed-in page, no answer of the API. Who signs out leaves nothing behind.
"""

import hashlib
import json
from functools import cache
from typing import NamedTuple

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.utils import translation
from django.utils.safestring import mark_safe
from django.utils.translation import gettext
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from . import wording

LOOKS = (
    "css/tokens.css",
    "css/marks.css",
    "css/components.css",
    "css/pages.css",
    "js/theme.js",
    "js/offline.js",
    "js/ages.js",
    "icons/mark.svg",
)
ICON = "iotpanel/icons/app-192.png"  # of notifications: no browser takes an SVG there
DAY = 86_400  # seconds


class Worker(NamedTuple):
    """The service worker's script; its version changes with itself, the page and every file that it keeps."""

    version: str
    script: str


@cache
def page() -> str:
    """The same for everybody: in all languages, of which its script shows the reader's."""
    languages = []
    for code, _ in settings.LANGUAGES:
        with translation.override(code):
            languages.append((code, wording.span_samples()))
    return render_to_string("offline/page.html", {"languages": languages})


@cache
def worker() -> Worker:
    """Made once: neither templates nor collected files change under a running server."""
    files = [static(f"iotpanel/{name}") for name in LOOKS]
    kept: dict[str, object] = {"page": reverse("offline"), "files": files, "icon": static(ICON), "title": _titles()}
    kept["renew"] = reverse("browser-renew")
    version = hashlib.sha256("\n".join([page(), _script(kept)]).encode()).hexdigest()[:12]
    return Worker(version, _script({"name": f"iotpanel-{version}", **kept}))


def _script(kept: dict[str, object]) -> str:
    return render_to_string("offline/worker.js", {"kept": mark_safe(json.dumps(kept))})  # noqa: S308 - our own names


def _titles() -> dict[str, str]:
    """Of a push message that cannot be read, in each language."""
    titles = {}
    for code, _name in settings.LANGUAGES:
        with translation.override(code):
            titles[code] = gettext("Something new on iotpanel")
    return titles


def worker_address() -> str:
    """Where pages register it: a new version has a new address, so that it takes over with the first page of it."""
    return f"{reverse('worker')}?v={worker().version}"


@require_safe
@cache_control(max_age=DAY)
def worker_script(request: HttpRequest) -> HttpResponse:
    """At the root, as a worker's scope is the folder of its script."""
    return HttpResponse(worker().script, content_type="text/javascript; charset=utf-8")


@require_safe
@cache_control(no_cache=True)
def offline(request: HttpRequest) -> HttpResponse:
    """Rendered without the request: what is kept in a browser says nothing of who used it."""
    return HttpResponse(page())
