"""Names that are taken once per tenant: said as a conflict, also where two people are as fast as each other."""

from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext as _

from iotpanel.api.errors import Conflict

UNIQUE_VIOLATION = "23505"


def save_named(instance: models.Model) -> None:
    """Raises Conflict `name_taken`."""
    try:
        with transaction.atomic():
            instance.save()
    except IntegrityError as error:
        if getattr(error.__cause__, "sqlstate", "") != UNIQUE_VIOLATION:
            raise
        raise Conflict("name_taken", _("This name is taken.")) from error
