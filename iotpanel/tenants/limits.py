"""How much may come in: a rate of reports per second with a burst, as tenants, products, devices and the platform set it.

None inherits, 0 means no limit. What a limit refuses is counted, not kept.
"""

from collections.abc import Callable
from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from .validation import clean_integer

if TYPE_CHECKING:
    from .models import Tenant

SECONDS = 10  # what a burst is worth where nobody said
MOST_RATE, MOST_BURST = 1_000_000, 100_000_000


class Limit(NamedTuple):
    """`rate` in reports per second, `burst` in reports; `source` says who set it, such as "platform"."""

    rate: float
    burst: float
    source: str


def first_of(*candidates: tuple[str, float | None, int | None]) -> Limit | None:
    """The first (source, rate, burst) that has a rate decides; None where that is 0, or none has one."""
    for source, rate, burst in candidates:
        if rate is not None:
            return Limit(rate, burst or max(1.0, rate * SECONDS), source) if rate > 0 else None
    return None


def tenant_limit(tenant: "Tenant") -> Limit | None:
    """What all devices of a tenant may send together."""
    return first_of(("tenant", tenant.rate_limit, tenant.rate_burst), ("platform", settings.TENANT_RATE, settings.TENANT_BURST))


def clean_rate(value: Any) -> float | None:
    """Reports per second, or None; raises ValidationError."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise ValidationError(_("This must be a number."), code="bad_type")
    if not 0 <= value <= MOST_RATE:
        raise ValidationError(_("Between %(low)d and %(high)d."), code="out_of_range", params={"low": 0, "high": MOST_RATE})
    return float(value)


def clean_burst(value: Any) -> int | None:
    """Reports, or None; raises ValidationError."""
    return None if value is None else clean_integer(value, low=1, high=MOST_BURST)


LIMITS: dict[str, Callable[[Any], Any]] = {"rate_limit": clean_rate, "rate_burst": clean_burst}
