"""How often one may ask: 600 requests a minute for a user or key, 60 for an address that has not signed in.

Counted by whole minutes in the cache. Without the cache nobody is turned away: a lost cache must not stop the platform.
"""

import logging
import time
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.utils.translation import gettext as _

from .addresses import client_address
from .errors import TooMany

log = logging.getLogger(__name__)
WINDOW = 60
PER_USER, PER_ADDRESS = 600, 60


def count_user(request: Any) -> None:
    """Counts a request of who is signed in; raises TooMany."""
    who = getattr(request.user, "throttle_ident", None) or f"user:{request.user.pk}"
    count(who, PER_USER)


def count_address(request: Any) -> None:
    """Counts a request that nobody signed in for, a wrong password or key included; raises TooMany."""
    count(f"address:{client_address(request)}", PER_ADDRESS)


def count(who: str, allowed: int) -> None:
    """One more request of `who` in this minute; raises TooMany beyond `allowed`."""
    if not settings.THROTTLE:
        return
    now = time.time()
    if _hit(f"throttle:{who}:{int(now // WINDOW)}") > allowed:
        raise TooMany("throttled", _("Too many requests. Try again soon."), WINDOW - now % WINDOW)


def _hit(key: str) -> int:
    try:
        if cache.add(key, 1, timeout=2 * WINDOW):
            return 1
        return cache.incr(key)
    except ValueError:  # it ended between the two calls
        return 1
    except Exception as error:  # any client's error: fail open, see above
        log.warning("requests are not throttled, the cache does not answer: %s", error)
        return 0
