"""Kinds of configuration whose objects people know by their names."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from iotpanel.tenants.configuration.kind import Kind
from iotpanel.tenants.validation import clean_text


class Named(Kind):
    def check_slug(self, slug: str) -> None:
        """A name as the verbs take it, so that what is written down is what is made."""
        if clean_text(slug) != slug:
            raise ValidationError(_("A name neither begins nor ends with a space."), code="bad_name")
