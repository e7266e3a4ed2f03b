"""A product's codec, checked at every save: the script compiles, and its samples still give what they gave."""

import base64
import binascii
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from iotpanel.tenants.validation import clean_json, clean_text

from .codecs import lua
from .models import Product
from .models.product import CodecKind

SCRIPT_BYTES = 64 * 1024
MAX_SAMPLES = 500
_SAMPLE_FIELDS = {"payload_base64", "hex", "port", "topic", "expected", "name"}


def clean_script(value: Any) -> str:
    """A script of at most 64 KB; raises ValidationError."""
    script = clean_text(value, limit=SCRIPT_BYTES, blank=True, lines=True)
    if len(script.encode()) > SCRIPT_BYTES:
        raise ValidationError(_("At most %(limit)d bytes."), code="too_large", params={"limit": SCRIPT_BYTES})
    return script


def clean_samples(value: Any) -> list[dict[str, Any]]:
    """`[{"payload_base64" or "hex", "port"?, "topic"?, "expected": [...]}]`; raises ValidationError."""
    if not isinstance(value, list) or len(value) > MAX_SAMPLES:
        raise ValidationError(_("This must be a list of at most %(limit)d samples."), code="bad_type", params={"limit": MAX_SAMPLES})
    for number, sample in enumerate(value, start=1):
        if problem := _sample_problem(sample):
            raise ValidationError(_("Sample %(number)d: %(problem)s"), code="bad_sample", params={"number": number, "problem": problem})
    return list(clean_json(value))


def _sample_problem(sample: Any) -> str | None:
    if not isinstance(sample, dict) or set(sample) - _SAMPLE_FIELDS:
        return _("an object with “payload_base64” or “hex”, and “port”, “topic”, “expected”.")
    if ("hex" in sample) == ("payload_base64" in sample):
        return _("say the frame once, as “hex” or as “payload_base64”.")
    try:
        if "hex" in sample:
            bytes.fromhex(sample["hex"])
        else:
            base64.b64decode(sample["payload_base64"], validate=True)
    except (TypeError, ValueError, binascii.Error):
        return _("these are no bytes.")
    port = sample.get("port")
    if port is not None and (not isinstance(port, int) or isinstance(port, bool) or port < 0):
        return _("“port” is a whole number.")
    if not isinstance(sample.get("topic", ""), str):
        return _("“topic” is a text.")
    return None if isinstance(sample.get("expected", []), list) else _("“expected” is a list of reports.")


def check_codec(product: Product) -> None:
    """Raises ValidationError by field where the script is missing, does not compile, or a sample gives something else."""
    if product.codec_kind != CodecKind.LUA:
        return
    if not product.codec_script.strip():
        raise ValidationError({"codec_script": _("Write the script, or choose JSON.")})
    if error := lua.compile_error(product.codec_script):
        raise ValidationError({"codec_script": error})
    if product.codec_samples and (wrong := lua.check_samples(product.codec_script, product.codec_samples)):
        raise ValidationError({"codec_samples": wrong})
