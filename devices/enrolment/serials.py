"""Serial numbers: put on a product's list, approved, denied, let in again."""

import csv
import io
from collections.abc import Iterable
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from devices.models import Product, Serial, SerialState
from iotpanel.api.errors import Conflict
from iotpanel.tenants.audit import note_bulk

from .policies import clean_serial

MAX_AT_ONCE = 100_000
SHOWN = 20  # bad lines that the refusal names
HEADERS = {"serial", "serial number", "sn", "serial_number", "序列号"}


class Listed(NamedTuple):
    """How many of the given serial numbers are new, and how many were there."""

    added: int
    known: int


@transaction.atomic
def list_serials(product: Product, serials: Iterable[Any]) -> Listed:
    """Puts serial numbers on the list, all or none; known ones stay as they are. Raises ValidationError that names the bad ones."""
    wanted, bad = _sorted_out(serials)
    if bad:
        shown = [f"{number}: {text[:80]!r}" for number, text in bad[:SHOWN]]
        raise ValidationError({"serials": [_("These lines hold no serial number: %(lines)s") % {"lines": ", ".join(shown)}]})
    known = set(Serial.objects.filter(product=product, serial__in=wanted).values_list("serial", flat=True))
    rows = [Serial(product=product, serial=serial) for serial in wanted if serial not in known]
    made = Serial.objects.bulk_create(rows, batch_size=5_000, ignore_conflicts=False)
    note_bulk([(row, {"serial": ("", row.serial), "state": ("", row.state)}) for row in made], created=True)
    return Listed(len(made), len(wanted) - len(made))


def _sorted_out(serials: Iterable[Any]) -> tuple[list[str], list[tuple[int, str]]]:
    """The serial numbers, each once and in order; and what is none, with its place from 1."""
    wanted: dict[str, None] = {}
    bad: list[tuple[int, str]] = []
    for number, text in enumerate(serials, 1):
        if number > MAX_AT_ONCE:
            raise ValidationError({"serials": _("At most %(limit)d at once.") % {"limit": MAX_AT_ONCE}})
        try:
            wanted[clean_serial(text)] = None
        except ValidationError:
            bad.append((number, str(text)))
    return list(wanted), bad


def read_csv(text: str) -> list[str]:
    """The first column of a CSV file, without its header and empty lines. Raises ValidationError."""
    try:
        cells = [row[0].strip() for row in csv.reader(io.StringIO(text, newline="")) if row and row[0].strip()]
    except csv.Error as error:
        raise ValidationError({"serials": _("This is no CSV: %(reason)s") % {"reason": error}}) from error
    return cells[1:] if cells and cells[0].lower() in HEADERS else cells


def approve(row: Serial) -> Serial:
    """Let it register; its device gets its credentials when it asks again."""
    return _decide(row, SerialState.APPROVED, {SerialState.PENDING, SerialState.LISTED, SerialState.DENIED})


def deny(row: Serial) -> Serial:
    """Refuse it whenever it asks."""
    return _decide(row, SerialState.DENIED, {SerialState.PENDING, SerialState.LISTED, SerialState.APPROVED})


def let_in_again(row: Serial) -> Serial:
    """After a factory reset: a registered device may fetch new credentials once; its old ones end when it does."""
    return _decide(row, SerialState.APPROVED, {SerialState.REGISTERED})


@transaction.atomic
def remove(row: Serial) -> None:
    """Takes it off the list. A device that it has become stays."""
    row.delete()


@transaction.atomic
def _decide(row: Serial, state: SerialState, out_of: set[SerialState]) -> Serial:
    locked: Serial = Serial.objects.select_for_update(no_key=True).select_related("product").get(pk=row.pk)
    if locked.state == state:
        return locked
    if locked.state not in out_of:
        raise Conflict("wrong_state", _("“%(serial)s” is %(state)s.") % {"serial": locked, "state": SerialState(locked.state).label})
    locked.state, locked.decided_at = state, timezone.now()
    locked.save(update_fields=["state", "decided_at"])
    return locked
