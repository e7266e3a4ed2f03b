"""Web push: to the browsers of members that asked for it, each of which is a promise of its own with its own retries."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from iotpanel.tenants.models import Membership, Role, Tenant
from rules.models import Browser, Rotation
from rules.outbox import Promise, promise
from rules.outside import http
from rules.outside.errors import Down, Gone, Rejected
from rules.push import vapid
from rules.push.browsers import KIND, ended
from rules.push.messages import message_of
from rules.push.sending import push
from rules.rotations import members, on_call

from .base import Note, schema, text

TRIED = 20  # browsers that a test message goes to


class WebPushChannel:
    TITLE = gettext_lazy("Web push")
    SETTINGS = schema(
        {
            "roles": {
                "type": "array",
                "title": "Everybody who is",
                "minItems": 1,
                "uniqueItems": True,
                "items": {"enum": [str(role) for role in Role], "x-labels": {str(role): str(role).capitalize() for role in Role}},
            },
            "people": {
                "type": "array",
                "title": "These members (usernames)",
                "minItems": 1,
                "maxItems": 100,
                "items": {"type": "string", "minLength": 1, "maxLength": 150},
            },
            "rotation": text("Who is on call in this rotation (its key)", minLength=1, maxLength=64),
        }
    ) | {"minProperties": 1}
    EXPERIMENTAL = False

    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings

    @staticmethod
    def check(tenant: Tenant, settings: dict[str, Any]) -> None:
        """Raises ValidationError where somebody is no member, or there is no such rotation."""
        names = settings.get("people", [])
        there = {person.username for person in members(tenant.pk, names)}
        if missing := [name for name in names if name not in there]:
            raise ValidationError({"settings.people": _("“%(name)s” is no member.") % {"name": missing[0]}})
        key = settings.get("rotation")
        if key and not Rotation.objects.for_tenant(tenant).filter(key=key).exists():
            raise ValidationError({"settings.rotation": _("There is no “%(key)s”.") % {"key": key}})

    def send(self, note: Note) -> str:
        """Promised to each browser: one that is away, or whose push service is down, keeps none of the others waiting."""
        found = self._browsers(note)
        message = message_of(note)
        said = {"channel": note.channel_id, "message": message, "messages": max(1, len(note.about))}
        promise([Promise(note.tenant_id, KIND, browser.pk, None, said) for browser in found])
        return ngettext("Handed on for %(number)d browser.", "Handed on for %(number)d browsers.", len(found)) % {"number": len(found)}

    def send_now(self, note: Note) -> str:
        """The same at once, for a person who wants to see what the push services answer."""
        message = message_of(note)
        with http.client() as client:
            said = [_tried(browser, partial(push, client, browser, message)) for browser in self._browsers(note)[:TRIED]]
        answers = "; ".join(words for _ok, words in said)
        if not any(ok for ok, _words in said):
            raise Down(answers)
        return answers

    def _browsers(self, note: Note) -> list[Browser]:
        """Of the people who are in the tenant now. Raises Rejected where none of them asked to be told."""
        if not vapid.is_set():
            raise Down(_("No key for web push is set up (IOTPANEL_VAPID_KEY)."))
        people = Membership.objects.filter(tenant_id=note.tenant_id, user__is_active=True)
        ids = set(people.filter(role__in=self.settings.get("roles", [])).values_list("user_id", flat=True))
        ids |= set(people.filter(user__username__in=self.settings.get("people", [])).values_list("user_id", flat=True))
        if (key := self.settings.get("rotation")) and (person := on_call(note.tenant_id, key)):
            ids.add(person.pk)
        found = list(Browser.objects.told_by(note.tenant_id).filter(person__in=ids).select_related("person").order_by("pk"))
        if not found:
            words = _("None of these people has asked to be told in a browser yet.")
            raise Rejected(words, dict.fromkeys(range(len(note.about)), words))
        return found


def _tried(browser: Browser, send: Callable[[], str]) -> tuple[bool, str]:
    """Whether it was taken, and the browser with what was answered."""
    try:
        return True, f"{browser}: {send()}"
    except Gone as error:
        ended(browser)
        return False, f"{browser}: {error}"
    except (Down, Rejected) as error:
        return False, f"{browser}: {error}"
