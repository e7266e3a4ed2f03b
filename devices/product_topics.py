"""The topics that a product maps for itself, checked against every other product's: they become broker permissions."""

import re
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection
from django.utils.translation import gettext as _

from .models import Product
from .topics import PLACEHOLDER, pattern_problem

KIND = re.compile(r"(telemetry|attributes|raw|status|events/[A-Za-z0-9][A-Za-z0-9_.-]{0,63}|down/commands|down/raw)\Z")
MAX_TOPICS = 32
_LOCK = 0x10_70_1C5  # any number, the same in every process


def clean_topics(value: Any, codec_kind: str) -> list[dict[str, str]]:
    """`[{"topic": "tele/{key}/SENSOR", "kind": "telemetry"}]` without doubles; raises ValidationError.

    A bare text is that topic for `raw` where the codec is a script, else for `telemetry`.
    """
    if not isinstance(value, list) or len(value) > MAX_TOPICS:
        raise ValidationError(_("This must be a list of at most %(limit)d topics."), code="bad_type", params={"limit": MAX_TOPICS})
    cleaned = [_clean_topic(item, "raw" if codec_kind == "lua" else "telemetry") for item in value]
    for index, item in enumerate(cleaned):
        if any(_clash(item["topic"], other["topic"], same=True) for other in cleaned[:index]):
            raise ValidationError(_("Topic “%(topic)s” overlaps with another one of this list."), params={"topic": item["topic"]})
    return cleaned


def _clean_topic(item: Any, default_kind: str) -> dict[str, str]:
    if isinstance(item, str):
        item = {"topic": item}
    if not isinstance(item, dict) or not isinstance(item.get("topic"), str) or set(item) - {"topic", "kind"}:
        raise ValidationError(_("Each entry is a topic, or an object with “topic” and “kind”."), code="bad_type")
    topic, kind = item["topic"], item.get("kind") or default_kind
    if problem := pattern_problem(topic):
        raise ValidationError(_("Topic “%(topic)s” %(problem)s."), code="bad_topic", params={"topic": topic[:200], "problem": problem})
    if not isinstance(kind, str) or not KIND.match(kind):
        raise ValidationError(
            _("“%(kind)s” is no kind: write telemetry, attributes, events/<name>, raw, status, down/commands or down/raw."),
            code="bad_kind",
            params={"kind": str(kind)[:80]},
        )
    return {"topic": topic, "kind": kind}


def refuse_clashes(product: Product) -> None:
    """Raises ValidationError where another product's topic could carry the same message with another device's key.

    The broker's permissions are patterns for all devices, so `a/{key}/b` beside `a/x/{key}` would let device x
    speak as device b. The lock makes two products that are saved at once see each other.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    others = Product.objects.exclude(pk=product.pk).exclude(topics=[]).values_list("topics", flat=True)
    taken = [item["topic"] for topics in others for item in topics]
    for item in product.topics:
        if any(_clash(item["topic"], other, same=False) for other in taken):
            raise ValidationError(_("Topic “%(topic)s” overlaps with one that another product maps."), code="topic_taken", params=item)


def _clash(one: str, other: str, *, same: bool) -> bool:
    """Whether one topic fits both; with the key at the same place only if `same` (then both name the same device)."""
    levels, others = one.split("/"), other.split("/")
    if len(levels) != len(others):
        return False
    if not all(a == b or PLACEHOLDER in (a, b) for a, b in zip(levels, others, strict=True)):
        return False
    return same or levels.index(PLACEHOLDER) != others.index(PLACEHOLDER)
