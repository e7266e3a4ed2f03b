"""Why a package was refused: one code for API, page and log."""

import structlog

from iotpanel.api.errors import ApiError, Conflict, TooLarge

CODES = frozenset(
    {
        *("bad_version", "version_taken", "older_version", "unknown_product"),
        *("empty", "too_large", "size_mismatch", "sha256_mismatch"),
        *("bad_signature", "signature_missing", "no_public_key"),
        "in_use",
    }
)
_KINDS: dict[str, type[ApiError]] = {"version_taken": Conflict, "older_version": Conflict, "in_use": Conflict, "too_large": TooLarge}
log = structlog.get_logger(__name__)


def refuse(code: str, message: str, field: str) -> ApiError:
    """The error to raise; `field` is where it is wrong."""
    log.info("firmware_refused", code=code, field=field, detail=message[:300])
    return _KINDS.get(code, ApiError)(code, message, {field: [message]})
