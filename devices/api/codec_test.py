"""Trying a codec script on frames, for the workbench and for programs."""

import base64
import binascii
import time
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from devices.codecs.lua import compile_error, try_out
from devices.exceptions import Unavailable as SandboxUnavailable
from devices.messages import Frame
from devices.models import Product
from iotpanel.api.errors import Unavailable

NO_DEVICE = "test"


def try_frames(product: Product, script: str, frames: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One answer per frame. Raises ValidationError where the script does not compile or a frame is no Base64."""
    try:
        if problem := compile_error(script):
            raise ValidationError({"script": problem})
        return try_out(script, [_frame(product, index, frame) for index, frame in enumerate(frames)])
    except SandboxUnavailable as error:
        raise Unavailable(_("Scripts cannot be run right now.")) from error


def _frame(product: Product, index: int, frame: dict[str, Any]) -> Frame:
    try:
        payload = base64.b64decode(frame["payload_base64"], validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValidationError({f"frames.{index}.payload_base64": _("This is no Base64.")}) from error
    topic = frame.get("topic") or f"devices/{NO_DEVICE}/up/raw"
    return Frame(payload, topic, NO_DEVICE, product.key, frame.get("port"), time.time_ns() // 1000)
