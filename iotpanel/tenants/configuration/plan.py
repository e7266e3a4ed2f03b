"""The plan: what a document would change in a tenant, and why some of it cannot be done."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from iotpanel.tenants.models import Tenant

from . import kinds
from .difference import FieldChange, differences
from .document import VERSION, Document
from .kind import Kind, Spec

MARKS = {"create": "+", "update": "~", "delete": "-"}


class Change(NamedTuple):
    """One object that is made, changed or deleted; `spec` is what it shall be."""

    kind: str
    slug: str
    action: str
    fields: list[FieldChange]
    spec: Spec

    def lines(self) -> list[str]:
        inner = [] if self.action == "delete" else [f"    {line}" for change in self.fields for line in change.lines()]
        return [f"{MARKS[self.action]} {self.kind}/{self.slug}", *inner]

    def as_dict(self) -> dict[str, Any]:
        fields = [change._asdict() for change in self.fields]
        return {"kind": self.kind, "slug": self.slug, "action": self.action, "fields": fields}


class Problem(NamedTuple):
    """What is wrong, and where: `products/climate/codec.script`."""

    where: str
    message: str


@dataclass
class Plan:
    """Changes in the order in which they are made."""

    changes: list[Change] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def text(self) -> str:
        """The plan for people: `+` is made, `~` changed, `-` deleted, `!` cannot be done."""
        lines = [line for change in self.changes for line in change.lines()]
        lines += [f"! {problem.where}: {problem.message}" for problem in self.problems]
        return "\n".join(lines or [_("Nothing would change.")]) + "\n"

    def as_dict(self) -> dict[str, Any]:
        problems = [problem._asdict() for problem in self.problems]
        return {"changes": [change.as_dict() for change in self.changes], "problems": problems, "text": self.text()}


def export(tenant: Tenant) -> Document:
    """Everything that a document can hold of the tenant, by name and slug."""
    found = {name: {slug: kind.short(spec) for slug, spec in sorted(kind.read(tenant).items())} for name, kind in kinds().items()}
    return {"version": VERSION, **found}


def compare(tenant: Tenant, document: Document, *, prune: bool = False) -> Plan:
    """What the document would change. Sections that it has not are left alone; with `prune`, objects that its sections lack go."""
    plan, known = Plan(), kinds()
    plan.problems += [Problem(name, _("There is no such section.")) for name in document if name not in known]
    gone: list[Change] = []
    for name, kind in known.items():
        if name in document:
            gone = [*_section(plan, name, kind, tenant, document[name], prune), *gone]
    plan.changes += gone
    return plan


def _section(plan: Plan, name: str, kind: Kind, tenant: Tenant, section: Any, prune: bool) -> list[Change]:
    """Adds what is made and changed to the plan; returns what is deleted, which comes last and in the opposite order."""
    if not isinstance(section, dict):
        plan.problems.append(Problem(name, _("This must be an object with one entry for each key.")))
        return []
    there = kind.read(tenant)
    for slug, given in section.items():
        spec = _spec(plan, name, kind, slug, given)
        if spec is not None and (change := _change(name, kind, slug, there.get(slug), spec)):
            plan.changes.append(change)
    return [Change(name, slug, "delete", [], {}) for slug in sorted(there) if prune and slug not in section]


def _spec(plan: Plan, name: str, kind: Kind, slug: str, given: Any) -> Spec | None:
    try:
        kind.check_slug(slug)
        return kind.whole(given)
    except ValidationError as error:
        plan.problems += problems_of(f"{name}/{slug[:80]}", error)
        return None


def _change(name: str, kind: Kind, slug: str, before: Spec | None, after: Spec) -> Change | None:
    if before is None:
        return Change(name, slug, "create", list(differences({}, kind.short(kind.shown(after)))), after)
    found = list(differences(before, kind.shown(after)))
    return Change(name, slug, "update", found, after) if found else None


def problems_of(where: str, error: ValidationError, names: Mapping[str, str] | None = None) -> list[Problem]:
    """A verb's refusal, with the place in the document."""
    if not hasattr(error, "error_dict"):
        return [Problem(where, message) for message in error.messages]
    named = {(names or {}).get(field, field): messages for field, messages in error.message_dict.items()}
    return [Problem(f"{where}/{field}", message) for field, messages in named.items() for message in messages]
