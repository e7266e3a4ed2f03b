"""One message to one browser, by its push service (RFC 8030)."""

import base64
import email.utils
import time

import httpx
from django.utils import timezone
from django.utils.translation import gettext as _

from rules.models import Browser
from rules.outside import http
from rules.outside.errors import Down, Gone

from . import vapid
from .messages import Message, payload_of
from .sealing import seal

TTL = 86_400  # seconds for which a push service keeps it for a browser that is away
URGENT = {"critical", "major"}  # these wake a phone that saves its battery
GONE = {404, 410}
LONGEST_WAIT = 3_600  # seconds, whatever a push service asks for


def push(client: httpx.Client, browser: Browser, message: Message) -> str:
    """What the push service answered. Raises Gone where the browser is subscribed no longer, Down, Rejected."""
    if not vapid.is_set():
        raise Down(_("No key for web push is set up (IOTPANEL_VAPID_KEY)."))
    body = seal(payload_of(message, browser), _bytes(browser.p256dh), _bytes(browser.auth))
    answer = http.exchange(client, "POST", browser.endpoint, content=body, headers=_headers(browser, message))
    if answer.status_code in GONE:
        raise Gone(http.said(answer))
    if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
        raise Down(http.said(answer), after=wait_of(answer.headers.get("Retry-After", "")))
    http.judged(answer)
    Browser.objects.filter(pk=browser.pk).update(used_at=timezone.now())
    return http.said(answer)


def _headers(browser: Browser, message: Message) -> dict[str, str]:
    """`Topic`: of two that wait for a browser that is away, the later replaces the one that is the same."""
    return {
        "Authorization": vapid.authorization(browser.endpoint),
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": str(TTL),
        "Topic": message["tag"],
        "Urgency": "high" if message["severity"] in URGENT else "normal",
    }


def wait_of(text: str) -> float:
    """Seconds that `Retry-After` asks for, as a number or as a date; 0 where it says nothing that we understand."""
    if text.strip().isdecimal() and len(text) < 10:
        return min(float(text), LONGEST_WAIT)
    try:
        until = email.utils.parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, OverflowError):
        return 0.0
    return min(max(until - time.time(), 0.0), LONGEST_WAIT)


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
