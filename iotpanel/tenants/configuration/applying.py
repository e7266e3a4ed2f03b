"""Applying a document: all of it or nothing, by the same verbs that pages and REST use."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.core.exceptions import ValidationError
from django.db import transaction

from iotpanel.api.errors import ApiError
from iotpanel.tenants.models import Tenant

from . import kinds
from .document import Document
from .kind import Kind, Spec
from .plan import Change, Plan, Problem, compare, problems_of


class NotApplied(Exception):
    """Nothing was changed; `plan` says what stands against it."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan.text())
        self.plan = plan


def plan(tenant: Tenant, document: Document, *, prune: bool = False) -> Plan:
    """What would change, tried for real and taken back: its problems are those that applying would meet."""
    with transaction.atomic():
        found = _carry_out(tenant, document, prune)
        transaction.set_rollback(True)
    return found


def apply(tenant: Tenant, document: Document, *, prune: bool = False) -> Plan:
    """Makes the tenant as the document says; a second time changes nothing. Raises NotApplied where anything cannot be done."""
    with transaction.atomic():
        found = _carry_out(tenant, document, prune)
        if found.problems:
            raise NotApplied(found)
    return found


def _carry_out(tenant: Tenant, document: Document, prune: bool) -> Plan:
    Tenant.objects.select_for_update(no_key=True).get(pk=tenant.pk)  # two at once: one after the other
    found = compare(tenant, document, prune=prune)
    known = kinds()
    made = [change for change in found.changes if change.action != "delete"]
    for change in made:
        verb = known[change.kind].create if change.action == "create" else known[change.kind].update
        _try(found, change, known[change.kind], verb, tenant)
    for change in made:
        _try(found, change, known[change.kind], known[change.kind].link, tenant)
    for name in reversed(list(known)):
        if slugs := [change.slug for change in found.changes if change.kind == name and change.action == "delete"]:
            with _noting(found, name, known[name]):
                known[name].delete(tenant, slugs)
    return found


def _try(found: Plan, change: Change, kind: Kind, verb: Callable[[Tenant, str, Spec], None], tenant: Tenant) -> None:
    where = f"{change.kind}/{change.slug}"
    if any(problem.where == where or problem.where.startswith(f"{where}/") for problem in found.problems):
        return
    with _noting(found, where, kind):
        verb(tenant, change.slug, change.spec)


@contextmanager
def _noting(found: Plan, where: str, kind: Kind) -> Iterator[None]:
    """Takes a refusal as a problem of the plan, and goes on: people want to see all of them at once."""
    try:
        with transaction.atomic():
            yield
    except ValidationError as error:
        found.problems += problems_of(where, error, kind.names)
    except ApiError as error:
        found.problems.append(Problem(where, str(error.message)))
