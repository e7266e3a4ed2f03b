"""Why a command or a shadow was refused: one code for API, page and log."""

import structlog

from devices.exceptions import SENTENCE
from iotpanel.api.errors import ApiError, Conflict, TooLarge, TooMany

_KINDS: dict[str, type[ApiError]] = {"device_disabled": Conflict, "too_large": TooLarge}
RETRY_AFTER = 5.0  # seconds
log = structlog.get_logger(__name__)


def refuse(code: str, message: str, field: str) -> ApiError:
    """The error to raise; `field` is where it is wrong."""
    log.info("downlink_refused", code=code, field=field, detail=message[:SENTENCE])
    if code == "queue_full":
        return TooMany(code, message, RETRY_AFTER)
    return _KINDS.get(code, ApiError)(code, message, {field: [message]})
