"""What a kind of configuration has to know: how its objects are written down, and the verbs that make them so."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from iotpanel.tenants.keys import validate_key
from iotpanel.tenants.models import Tenant

Spec = dict[str, Any]
HIDDEN = "secret"


class Kind(ABC):
    """One section of the document: slug -> fields. Slugs are the keys by which people know the objects.

    A spec holds no secrets: in the place of one stands `{"secret": "<what it is>"}`, and applying it keeps what is there.
    """

    defaults: Mapping[str, Any] = {}
    required: tuple[str, ...] = ()
    names: Mapping[str, str] = {}  # a verb's argument -> what the document calls it

    @abstractmethod
    def read(self, tenant: Tenant) -> dict[str, Spec]:
        """Every object of the tenant, with all its fields, in the order of `fields()`."""

    @abstractmethod
    def create(self, tenant: Tenant, slug: str, spec: Spec) -> None:
        """Makes the object without its references to others of its kind, which `link` sets. Raises what verbs raise."""

    @abstractmethod
    def update(self, tenant: Tenant, slug: str, spec: Spec) -> None:
        """Sets all fields but references to others of its kind."""

    def link(self, tenant: Tenant, slug: str, spec: Spec) -> None:  # noqa: B027 - most kinds have none
        """Sets references to others of its kind, once all of them are there."""

    @abstractmethod
    def delete(self, tenant: Tenant, slugs: Iterable[str]) -> None:
        """Deletes these, in whatever order they allow."""

    def check_slug(self, slug: str) -> None:
        """Raises ValidationError for what can be no slug of this kind."""
        validate_key(slug)

    def shown(self, spec: Spec) -> Spec:
        """The spec as a plan may show it: in the place of a secret that the document holds stands a placeholder."""
        return spec

    def fields(self) -> tuple[str, ...]:
        return (*self.required, *self.defaults)

    def whole(self, spec: Any) -> Spec:
        """The spec with its defaults, fields in their order. Raises ValidationError for what is no spec of this kind."""
        if not isinstance(spec, dict):
            raise ValidationError(_("This must be an object with fields."), code="bad_type")
        if unknown := sorted(set(spec) - set(self.fields())):
            raise ValidationError({name: _("There is no such field.") for name in unknown})
        if missing := [name for name in self.required if name not in spec]:
            raise ValidationError({name: _("This is required.") for name in missing})
        return {name: spec[name] if name in spec else self.defaults[name] for name in self.fields()}

    def short(self, spec: Spec) -> Spec:
        """The spec without what is as by default, as it is written down."""
        return {name: value for name, value in spec.items() if name in self.required or value != self.defaults[name]}


def placeholder(what: str) -> dict[str, str]:
    """What stands in the place of a secret."""
    return {HIDDEN: what}


def is_placeholder(value: Any) -> bool:
    return isinstance(value, dict) and set(value) == {HIDDEN} and isinstance(value[HIDDEN], str)
