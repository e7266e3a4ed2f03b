"""The words of comparisons and aggregates, with places for what is compared; for sentences and for forms."""

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

SEVERITIES: dict[str, Promise] = {
    "critical": gettext_lazy("Critical"),
    "major": gettext_lazy("Major"),
    "minor": gettext_lazy("Minor"),
    "warning": gettext_lazy("Warning"),
    "info": gettext_lazy("Info"),
}


def operators() -> dict[str, str]:
    """Operator -> a clause."""
    return {
        ">": _("%(what)s is above %(value)s"),
        ">=": _("%(what)s is at least %(value)s"),
        "<": _("%(what)s is below %(value)s"),
        "<=": _("%(what)s is at most %(value)s"),
        "=": _("%(what)s is %(value)s"),
        "!=": _("%(what)s is not %(value)s"),
        "in": _("%(what)s is one of %(value)s"),
        "not in": _("%(what)s is none of %(value)s"),
        "contains": _("%(what)s contains %(value)s"),
        "matches": _("%(what)s matches %(value)s"),
    }


def aggregates() -> dict[str, str]:
    """Aggregate -> what is compared."""
    return {
        "avg": _("the average of %(what)s over %(span)s"),
        "min": _("the smallest %(what)s of %(span)s"),
        "max": _("the largest %(what)s of %(span)s"),
        "sum": _("the sum of %(what)s over %(span)s"),
        "count": _("the number of readings of %(what)s in %(span)s"),
        "delta": _("the change of %(what)s over %(span)s"),
        "rate": _("the rate of %(what)s over %(span)s"),
        "first": _("the first %(what)s of %(span)s"),
        "last": _("the last %(what)s of %(span)s"),
    }


def alarm_changes() -> dict[str, str]:
    """What happened to an alarm -> an adjective."""
    return {"raised": _("raised"), "cleared": _("cleared"), "acknowledged": _("acknowledged"), "escalated": _("escalated")}


def command_states() -> dict[str, str]:
    """State of a command -> an adjective."""
    return {
        "queued": _("queued"),
        "sent": _("sent"),
        "delivered": _("delivered"),
        "succeeded": _("done"),
        "failed": _("refused by the device"),
        "timed_out": _("not answered"),
        "expired": _("expired"),
        "cancelled": _("cancelled"),
    }
