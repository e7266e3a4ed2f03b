"""A person's browsers: one is taken in, sent a test message, and forgotten."""

import base64
import binascii
import hashlib
import ipaddress
from typing import Any, NamedTuple
from urllib.parse import SplitResult, urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import translation
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from iotpanel.api.errors import Conflict
from iotpanel.tenants.models import User
from iotpanel.tenants.validation import Problems, clean_text
from rules.models import Browser, OutboxItem, Target
from rules.outside import addresses, http
from rules.outside.errors import Down, Gone, Rejected

from .agents import short_name
from .sending import push
from .vapid import base64url

KIND = "push"  # of the outbox's promises to one browser
MOST = 20  # browsers of a person
LONGEST = 2_000  # characters of an endpoint; those of the great services have 150 to 600
POINT, AUTH = 65, 16  # bytes


class Tried(NamedTuple):
    """Whether a test message was taken, what was sent, and the push service's words."""

    ok: bool
    sent: str
    answer: str


@transaction.atomic
def subscribe(person: User, *, endpoint: Any, p256dh: Any, auth: Any, agent: str = "") -> Browser:
    """Take in a browser of this person, or its new keys; the same one again changes nothing but whose it is.

    Raises ValidationError by field, Conflict `too_many`, and `taken` where the endpoint is known with other keys: who
    shows the same keys sits at the very browser, at which somebody else signed in before.
    """
    place, point, secret = _clean(endpoint, p256dh, auth)
    digest = digest_of(place)
    User.objects.select_for_update(no_key=True).get(pk=person.pk)  # one after the other, so that nobody gets more than MOST
    known = Browser.objects.select_for_update().filter(digest=digest).first()
    _demand_keys(person, known, (point, secret))
    if (known is None or known.person_id != person.pk) and Browser.objects.for_user(person).count() >= MOST:
        raise Conflict("too_many", _("You are told in %(most)d browsers already: remove one first.") % {"most": MOST})
    if known is not None and known.person_id != person.pk:
        forget(known)  # with what waits for who was here before
    values = {"person": person, "endpoint": place, "p256dh": point, "auth": secret, "language": (get_language() or "")[:16]}
    values["name"] = short_name(agent) or _("A browser")
    return Browser.objects.update_or_create(digest=digest, defaults=values)[0]


@transaction.atomic
def replace(person: User, *, old: Any, endpoint: Any, p256dh: Any, auth: Any, agent: str = "") -> Browser:
    """The browser has another subscription in the place of `old`, an endpoint: it stays the same row, with what waits for it.

    Asked twice it changes nothing. Raises ValidationError by field, Conflict `unknown` where `old` is none of this person's,
    and `taken` as `subscribe` does.
    """
    place, point, secret = _clean(endpoint, p256dh, auth)
    User.objects.select_for_update(no_key=True).get(pk=person.pk)
    there = Browser.objects.select_for_update().filter(digest=digest_of(place)).first()
    _demand_keys(person, there, (point, secret))
    before = digest_of(old) if isinstance(old, str) else ""
    known = Browser.objects.for_user(person).select_for_update().filter(digest=before).first()
    if known is None:
        if there is None or there.person_id != person.pk:
            raise Conflict("unknown", _("You are not told in this browser."))
        known = there
    elif there is not None and there.pk != known.pk:
        forget(there)
    known.endpoint, known.digest, known.p256dh, known.auth = place, digest_of(place), point, secret
    known.name = short_name(agent) or known.name
    known.save(update_fields=["endpoint", "digest", "p256dh", "auth", "name"])
    Target.objects.filter(kind=KIND, target=known.pk).update(failures=0, paused_until=None)  # it was the old one that was down
    return known


def digest_of(endpoint: str) -> str:
    return hashlib.sha256(endpoint.encode(errors="surrogatepass")).hexdigest()


def _demand_keys(person: User, there: Browser | None, keys: tuple[str, str]) -> None:
    if there is not None and there.person_id != person.pk and (there.p256dh, there.auth) != keys:
        raise Conflict("taken", _("This endpoint belongs to another browser."))


@transaction.atomic
def forget(browser: Browser) -> None:
    """With what waits for it."""
    OutboxItem.objects.filter(kind=KIND, target=browser.pk).exclude(state=OutboxItem.State.DELIVERED).delete()
    Target.objects.filter(kind=KIND, target=browser.pk).delete()
    browser.delete()


@transaction.atomic
def ended(browser: Browser) -> bool:
    """Its push service knows it no longer: forget it. False where it has another subscription by now, or is gone already."""
    same = Browser.objects.select_for_update().filter(pk=browser.pk, digest=browser.digest).first()
    if same is not None:
        forget(same)
    return same is not None


def send_test(browser: Browser) -> Tried:
    """Send a message now. Never raises for what the push service does; one that knows the browser no longer ends it."""
    language = browser.person.language or browser.language or "en"
    with translation.override(language):
        title, text = _("Test message"), _("This browser is told by iotpanel.")
    message = {"title": title, "text": text, "severity": "", "url": "/account/#browsers", "tag": f"test-{browser.pk}"}
    try:
        with http.client() as client:
            return Tried(True, f"{title}\n{text}", push(client, browser, message))
    except Gone as error:
        if not ended(browser):
            return Tried(False, "", str(error))
        return Tried(False, "", _("The browser is subscribed no longer, and was removed: %(answer)s") % {"answer": error})
    except (Down, Rejected) as error:
        return Tried(False, "", str(error))


def _clean(endpoint: Any, p256dh: Any, auth: Any) -> tuple[str, str, str]:
    problems, place, point, secret = Problems(), "", "", ""
    with problems.of("endpoint"):
        place = clean_endpoint(endpoint)
    with problems.of("p256dh"):
        point = _clean_point(p256dh)
    with problems.of("auth"):
        secret = base64url(_clean_bytes(auth, AUTH))
    problems.raise_any()
    return place, point, secret


def clean_endpoint(value: Any) -> str:
    """An HTTPS address of the public internet, or what the operator allowed. What its name resolves to is judged when we send."""
    text = clean_text(value, limit=LONGEST)
    try:
        parts = urlsplit(text)
        _port = parts.port  # must be a number of a port
    except ValueError as error:
        raise ValidationError(_("This is no address of a push service."), code="bad_address") from error
    if any(ord(each) <= 32 or ord(each) > 126 for each in text) or not parts.hostname or parts.username is not None or parts.fragment:
        raise ValidationError(_("This is no address of a push service."), code="bad_address")
    _judge(parts)
    return text


def _judge(parts: SplitResult) -> None:
    host = str(parts.hostname)
    numeric = addresses.numeric_of(host)
    if parts.scheme != "https" and not (parts.scheme == "http" and numeric and _operator_allowed(numeric)):
        raise ValidationError(_("A push service is reached by HTTPS only."), code="not_https")
    if not (addresses.is_allowed(numeric) if numeric else _sounds_public(host)):
        raise ValidationError(_("A push service has a public address."), code="not_public")


def _sounds_public(name: str) -> bool:
    return "." in name.strip(".") and not addresses.is_own(name)


def _operator_allowed(numeric: str) -> bool:
    address = ipaddress.ip_address(numeric.partition("%")[0])
    return any(address in network for network in addresses.networks() if network.version == address.version)


def _clean_point(value: Any) -> str:
    point = _clean_bytes(value, POINT)
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError as error:
        raise ValidationError(_("This is no public key of a browser."), code="bad_key") from error
    return base64url(point)


def _clean_bytes(value: Any, length: int) -> bytes:
    """URL-safe base64 of so many bytes."""
    text = clean_text(value, limit=200).rstrip("=")
    try:
        found = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValidationError(_("This is not URL-safe base64."), code="bad_encoding") from error
    if len(found) != length:
        raise ValidationError(_("This must be %(length)d bytes in base64."), code="bad_length", params={"length": length})
    return found
