"""HMAC signatures that a receiver can check: over the time and the body, so that nobody can replay them much later."""

import hashlib
import hmac
import time


def signed(body: bytes, secret: str, *, now: int | None = None) -> dict[str, str]:
    """Headers: the time in seconds, and `v1=` HMAC-SHA256 in hex over time, a dot and the body."""
    at = str(int(time.time()) if now is None else now)
    digest = hmac.new(secret.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()
    return {"X-Iotpanel-Timestamp": at, "X-Iotpanel-Signature": f"v1={digest}"}
