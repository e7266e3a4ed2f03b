"""Instants in forms: `datetime-local` knows no zone, so they are in the person's."""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _


def for_input(at: datetime | None) -> str:
    """An instant as the input takes it, to the minute."""
    return timezone.localtime(at).strftime("%Y-%m-%dT%H:%M") if at else ""


def read_instant(text: str) -> datetime:
    """What the input sent; raises ValidationError."""
    try:
        found = parse_datetime(text)
        if found is None:
            raise ValueError
        return found if timezone.is_aware(found) else timezone.make_aware(found)
    except (ValueError, OverflowError) as error:
        raise ValidationError(_("Give a time."), code="bad_type") from error
