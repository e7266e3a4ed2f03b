"""Each address has a queue of its own, so that one which is down holds up no other."""

import hashlib


def lane_of(url: str) -> str:
    """The name of an address's queue, of 16 characters."""
    return hashlib.sha256(url.encode()).hexdigest()[:16]
