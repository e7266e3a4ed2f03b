"""The codec workbench: frames, the script, and what it makes of them; published with its tests."""

import base64
import binascii
import re
from typing import Any

import orjson
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from devices.api.codec_test import try_frames
from devices.models import Product
from devices.models.product import CodecKind
from devices.products import update_product
from devices.topics import PLACEHOLDER
from iotpanel.api.errors import Unavailable as ServiceUnavailable
from iotpanel.pages.replays import tell_waiting
from iotpanel.tenants.models import Role
from iotpanel.tenants.web import TenantRequest, tenant_page
from telemetry.models import DeadLetterRecord
from telemetry.models.dead_letter import DeadLetterSet
from telemetry.tiles import model_of
from telemetry.uplink.replay_runs import replay_all

from .views import around, messages_of, product_of

LETTERS = 40
MOST_FRAMES = 600  # letters, pasted ones and all the tests
SCRIPT_CHARACTERS = 65_537  # one more than can be saved
FRAME_BYTES = 4_096  # larger frames are no use to look at
REASONS = ("codec_error", "codec_timeout", "codec_memory", "codec_result", "out_of_range", "bad_value", "unknown_property", "bad_shape")
STARTER = """-- Bytes in, values out. meta has device, product, port and received_at (ms).
function decode(payload, topic, meta)
  return {
    first_byte = payload:byte(1),
  }
end
"""


def raw_letters(product: Product) -> DeadLetterSet:
    """The product's open dead letters that came as bytes for the codec."""
    letters: DeadLetterSet = DeadLetterRecord.objects.for_tenant(product.tenant).filter(product=product, reason__in=REASONS)
    own = ["[^/]+".join(map(re.escape, topic["topic"].split(PLACEHOLDER))) for topic in product.topics if topic.get("kind") == "raw"]
    pattern = "|".join([r"/up/raw(/\d+)?$", r"/up/gateway/raw$", *(f"^{topic}$" for topic in own)])
    return letters.open().filter(topic__regex=pattern)


def _port(topic: str) -> int | None:
    last = topic.rpartition("/up/raw/")[2]
    return int(last) if "/up/raw/" in topic and last.isdecimal() else None


def _letter_frame(letter: DeadLetterRecord) -> dict[str, Any]:
    return {
        "kind": "letter",
        "id": letter.pk,
        "label": letter.key,
        "hex": bytes(letter.payload).hex(),
        "port": _port(letter.topic),
        "topic": letter.topic,
        "at": letter.received_at.isoformat(),
    }


def _sample_frame(sample: dict[str, Any]) -> dict[str, Any]:
    try:
        payload = bytes.fromhex(sample["hex"]) if "hex" in sample else base64.b64decode(sample["payload_base64"])
    except (ValueError, TypeError, KeyError, binascii.Error):
        payload = b""
    return {"kind": "test", "hex": payload.hex(), "label": sample.get("name", ""), "sample": sample} | {
        field: sample.get(field) for field in ("port", "topic", "expected")
    }


def _frames(request: TenantRequest, product: Product) -> list[dict[str, Any]]:
    """The letter that the address names first, then the newest ones without doubles, then the tests."""
    wanted = request.GET.get("letter", "")
    letters = list(raw_letters(product)[: 3 * LETTERS])
    letters.sort(key=lambda letter: str(letter.pk) != wanted)
    found: dict[bytes, dict[str, Any]] = {}
    for letter in letters:
        if len(letter.payload) <= FRAME_BYTES:
            found.setdefault(bytes(letter.payload), _letter_frame(letter))
    return list(found.values())[:LETTERS] + [_sample_frame(sample) for sample in product.codec_samples] + _pasted(request)


def _pasted(request: TenantRequest) -> list[dict[str, Any]]:
    """A frame that another page sent here, as `?hex=…&port=…`."""
    try:
        payload = bytes.fromhex(request.GET.get("hex", ""))
    except ValueError:
        return []
    port = request.GET.get("port", "")
    frame = {"kind": "pasted", "label": "", "hex": payload.hex(), "port": int(port) if port.isdecimal() else None, "topic": None}
    return [frame] if payload else []


def _properties(product: Product) -> dict[str, dict[str, Any]]:
    return {key: prop.as_dict() for key, prop in model_of(product).properties.items()}


def _words() -> dict[str, str]:
    return {
        "test": _("test"),
        "error": _("error"),
        "differs": _("differs"),
        "pasted": _("pasted"),
        "decode": _("%(good)s of %(all)s decode") % {"good": "GOOD", "all": "ALL"},
        "took": _("%(count)s frames in %(ms)s ms") % {"count": "COUNT", "ms": "MS"},
        "fail": _("%(count)s fail: %(why)s") % {"count": "COUNT", "why": "WHY"},
        "fine": _("every frame decodes"),
        "unsaved": _("unsaved"),
        "changed": _("%(count)s lines changed since it was published") % {"count": "COUNT"},
        "same": _("as published"),
        "nothing": _("nothing to store"),
        "above": _("above its maximum of %(limit)s") % {"limit": "LIMIT"},
        "below": _("below its minimum of %(limit)s") % {"limit": "LIMIT"},
        "unknown": _("not in the thing model"),
        "badtype": _("not a %(kind)s") % {"kind": "KIND"},
        "port": _("port %(port)s") % {"port": "PORT"},
        "before": _("before: %(value)s") % {"value": "VALUE"},
        "now": _("Now valid."),
        "badhex": _("These are no bytes in hex or Base64."),
        "letters": _("%(count)s of the dead letters here would decode with this script.") % {"count": "COUNT"},
        "on": _("on"),
        "off": _("off"),
    }


def _show(request: TenantRequest, product: Product, script: str, problems: dict[str, list[str]] | None = None) -> HttpResponseBase:
    writes = request.role.allows(Role.ADMIN)
    data = {
        "frames": _frames(request, product),
        "properties": _properties(product),
        "published": product.codec_script if product.codec_kind == CodecKind.LUA else "",
        "samples": product.codec_samples,
        "writes": writes,
        "try": f"{product.get_absolute_url()}codec/try/",
        "words": _words(),
    }
    context = {"data": data, "script": script, "problems": problems, "waiting": raw_letters(product).count(), "writes": writes}
    return render(request, "products/codec.html", around(request, product, "codec") | context, status=400 if problems else 200)


def _publish(request: TenantRequest, product: Product) -> HttpResponseBase:
    script = request.POST.get("script", "").replace("\r\n", "\n")
    try:
        samples = orjson.loads(request.POST.get("samples", "[]"))
        update_product(product, codec_kind="lua", codec_script=script, codec_samples=samples)
    except orjson.JSONDecodeError:
        return _show(request, product, script, {"codec_samples": [_("This is no valid JSON.")]})
    except ValidationError as error:
        product.refresh_from_db()
        return _show(request, product, script, messages_of(error))
    messages.success(request, _("Codec published"))
    if "replay" in request.POST:
        _replay(request, product)
    return redirect("product-codec", product.key)


def _replay(request: TenantRequest, product: Product) -> None:
    done = replay_all(raw_letters(product), tenant=product.tenant, started_by=request.user)
    if done.replayed or done.failed:
        numbers = {"replayed": done.replayed, "failed": done.failed}
        messages.success(request, _("Replayed: %(replayed)s accepted, %(failed)s refused again") % numbers)
    tell_waiting(request, done)


@tenant_page()
def codec(request: TenantRequest, key: str) -> HttpResponseBase:
    """Show the workbench; POST publishes script and tests."""
    product = product_of(request, key)
    if request.method == "POST":
        return _write(request, key=key)
    if product.codec_kind != CodecKind.LUA and "write" not in request.GET and "letter" not in request.GET and "hex" not in request.GET:
        return render(request, "products/no_codec.html", around(request, product, "codec"))
    return _show(request, product, product.codec_script or STARTER)


@tenant_page(Role.ADMIN)
def _write(request: TenantRequest, key: str) -> HttpResponseBase:
    return _publish(request, product_of(request, key))


@require_POST
@tenant_page(Role.ADMIN)
def try_out(request: TenantRequest, key: str) -> HttpResponseBase:
    """What a script makes of frames, as the contract's codec test; `problem` where it does not compile, which is no fault here."""
    product = product_of(request, key)
    try:
        asked = orjson.loads(request.body)
        answers = try_frames(product, str(asked["script"])[:SCRIPT_CHARACTERS], list(asked["frames"])[:MOST_FRAMES])
    except ValidationError as error:
        return JsonResponse({"problem": " ".join(error.messages)})
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return JsonResponse({"problem": _("This is no valid JSON.")}, status=400)
    except ServiceUnavailable as error:
        return JsonResponse({"problem": error.message})
    return JsonResponse({"answers": answers})
