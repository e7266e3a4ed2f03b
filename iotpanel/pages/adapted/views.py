"""The pages of a noun that has adapters: list, one with its health and history, form, and the buttons."""

from functools import partial
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from iotpanel.api.errors import ApiError, Conflict
from iotpanel.tenants.models import Role
from iotpanel.tenants.web import TenantRequest, tenant_page
from rules.delivery import holding, queue
from rules.models import Delivery, OutboxItem

from .dead import Dead, dead_of
from .fields import fields, read
from .health import health
from .noun import Noun

PER_PAGE = 50
SHOWN = 30


def _own(noun: Noun, request: TenantRequest, pk: int) -> Any:
    """The tenant's own; 404 for any other."""
    return get_object_or_404(noun.model.objects.for_tenant(request.tenant), pk=pk)


def _title(noun: Noun, kind: str) -> tuple[str, bool]:
    """A kind's name, and whether it has met no real server."""
    adapter = noun.table[kind]
    return str(adapter.TITLE), adapter.EXPERIMENTAL


def show_list(noun: Noun, request: TenantRequest) -> HttpResponseBase:
    """All of them with how they do."""
    found = noun.model.objects.for_tenant(request.tenant).order_by("name", "pk")
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    rows = [(each, *_title(noun, each.kind), health(each.enabled, noun.records.target_of(each))) for each in page]
    return render(request, f"{noun.name}/list.html", {"noun": noun, "words": noun.words(), "page": page, "rows": rows})


def show(noun: Noun, request: TenantRequest, pk: int) -> HttpResponseBase:
    return render(request, f"{noun.name}/one.html", _context(noun, request, _own(noun, request, pk)))


def show_health(noun: Noun, request: TenantRequest, pk: int) -> HttpResponseBase:
    """The part of the page that follows what happens."""
    return render(request, "adapted/health.html", _context(noun, request, _own(noun, request, pk)))


def _context(noun: Noun, request: TenantRequest, found: Any) -> dict[str, Any]:
    target = noun.records.target_of(found)
    title, experimental = _title(noun, found.kind)
    sent: Any = Delivery.objects.for_tenant(request.tenant).filter(kind=noun.kind, target=found.pk)
    return {
        "noun": noun,
        "words": noun.words(),
        "one": found,
        "title": title,
        "experimental": experimental,
        "health": health(found.enabled, target),
        "settings": fields(noun.table[found.kind].SETTINGS, found.settings, noun.records.secrets_of(found), problems={}),
        "more": noun.fields(request.tenant, found, None),
        "deliveries": list(sent[:SHOWN]),
        "dead": _dead(target),
    }


def _dead(target: Any) -> list[Dead]:
    rows: Any = queue.of(target).filter(state=OutboxItem.State.DEAD).order_by("-id")
    return dead_of(rows[:SHOWN])


# --- Forms ------------------------------------------------------------------------------------------------------------


def new(noun: Noun, request: TenantRequest) -> HttpResponseBase:
    """First the kind, then its form."""
    kind = request.GET.get("kind", "")
    if kind not in noun.table:
        kinds = [(name, *_title(noun, name)) for name in noun.table]
        return render(request, "adapted/kinds.html", {"noun": noun, "words": noun.words(), "kinds": kinds})
    if request.method != "POST":
        return _form(noun, request, kind, None)
    make = partial(noun.create, request.tenant, kind=kind)
    return _save(noun, request, kind, None, make)


def edit(noun: Noun, request: TenantRequest, pk: int) -> HttpResponseBase:
    found = _own(noun, request, pk)
    if request.method != "POST":
        return _form(noun, request, found.kind, found)
    return _save(noun, request, found.kind, found, partial(noun.update, found))


def _save(noun: Noun, request: TenantRequest, kind: str, found: Any, write: Any) -> HttpResponseBase:
    sent = request.POST.dict()
    values = {"name": sent.get("name", ""), "enabled": "enabled" in sent, "settings": read(noun.table[kind].SETTINGS, sent)}
    try:
        saved = write(**values, **noun.read_more(sent))
    except ValidationError as error:
        problems = {name: " ".join(texts) for name, texts in error.message_dict.items()}
        return _form(noun, request, kind, _fresh(noun, found), problems)
    except ApiError as error:
        return _form(noun, request, kind, _fresh(noun, found), {"name": error.message})
    messages.success(request, _("“%(name)s” is saved") % {"name": saved.name})
    return redirect(f"{noun.base}{saved.pk}/")


def _fresh(noun: Noun, found: Any) -> Any:
    """As it is stored: the verb that was refused has changed it already."""
    return noun.model.objects.get(pk=found.pk) if found is not None else None


def _form(noun: Noun, request: TenantRequest, kind: str, found: Any, problems: dict[str, str] | None = None) -> HttpResponseBase:
    sent = request.POST.dict() if problems is not None else None
    known = noun.records.secrets_of(found) if found is not None else []
    title, experimental = _title(noun, kind)
    schema = noun.table[kind].SETTINGS
    shown = fields(schema, found.settings if found else {}, known, sent=sent, problems=problems or {})
    placed = {"name", "template", "title", "text", "group_wait", "group_interval"} | {
        f"settings.{field.name}" for field in shown if field.error
    }
    context = {
        "noun": noun,
        "words": noun.words(),
        "one": found,
        "kind": kind,
        "title": title,
        "experimental": experimental,
        "name": sent.get("name", "") if sent is not None else found.name if found else "",
        "enabled": "enabled" in sent if sent is not None else found.enabled if found else True,
        "fields": shown,
        "more": noun.fields(request.tenant, found, sent),
        "problems": problems or {},
        "others": [(name, text) for name, text in (problems or {}).items() if name not in placed and name.rpartition(".")[0] not in placed],
    }
    return render(request, f"{noun.name}/form.html", context, status=400 if problems else 200)


# --- Buttons ----------------------------------------------------------------------------------------------------------


def pause(noun: Noun, request: TenantRequest, pk: int) -> HttpResponseBase:
    """Hold or let go."""
    found = _own(noun, request, pk)
    target = noun.records.target_of(found)
    if request.POST.get("pause") == "on":
        holding.hold(target)
    else:
        holding.let_go(target)
    return redirect(f"{noun.base}{found.pk}/")


def test(noun: Noun, request: TenantRequest, pk: int) -> HttpResponseBase:
    """Send a test message now; what was sent, and the other side's words."""
    found = _own(noun, request, pk)
    tried = noun.try_out(found)
    context = _context(noun, request, found) | {"tried": tried}
    return render(request, "adapted/tried.html" if request.htmx else f"{noun.name}/one.html", context | {"swap": bool(request.htmx)})


def retry(noun: Noun, request: TenantRequest, pk: int) -> HttpResponseBase:
    """Let what was given up be tried again: one message, or all of them."""
    found = _own(noun, request, pk)
    rows: Any = queue.of(noun.records.target_of(found))
    item = request.POST.get("item", "")
    if item:
        rows = rows.filter(pk=int(item)) if item.isdecimal() and len(item) < 19 else rows.none()
    count = queue.put_back(rows)
    messages.success(request, ngettext("%(count)s message waits again", "%(count)s messages wait again", count) % {"count": count})
    return redirect(f"{noun.base}{found.pk}/")


def delete(noun: Noun, request: TenantRequest, pk: int) -> HttpResponseBase:
    found = _own(noun, request, pk)
    try:
        noun.delete(found)
    except Conflict as error:
        messages.error(request, error.message)
        return redirect(f"{noun.base}{pk}/")
    messages.success(request, _("“%(name)s” is deleted") % {"name": found.name})
    return redirect(noun.base)


def urls(noun: Noun) -> list[URLPattern]:
    """The addresses below `noun.base`; who looks is a viewer, who puts back an operator, who changes an admin."""

    def page(view: Any, role: Role = Role.VIEWER, *, post: bool = False) -> Any:
        guarded = tenant_page(role)(partial_view(view, noun))
        return require_POST(guarded) if post else guarded

    name = noun.kind
    return [
        path("", page(show_list), name=noun.name),
        path("-/new/", page(new, Role.ADMIN), name=f"{name}-new"),
        path("<int:pk>/", page(show), name=name),
        path("<int:pk>/health/", page(show_health), name=f"{name}-health"),
        path("<int:pk>/edit/", page(edit, Role.ADMIN), name=f"{name}-edit"),
        path("<int:pk>/pause/", page(pause, Role.ADMIN, post=True), name=f"{name}-pause"),
        path("<int:pk>/test/", page(test, Role.ADMIN, post=True), name=f"{name}-test"),
        path("<int:pk>/retry/", page(retry, Role.OPERATOR, post=True), name=f"{name}-retry"),
        path("<int:pk>/delete/", page(delete, Role.ADMIN, post=True), name=f"{name}-delete"),
    ]


def partial_view(view: Any, noun: Noun) -> Any:
    """The view of one noun, with a name that logs and decorators can read."""

    def of_noun(request: TenantRequest, **kwargs: Any) -> HttpResponseBase:
        answer: HttpResponseBase = view(noun, request, **kwargs)
        return answer

    of_noun.__name__ = of_noun.__qualname__ = f"{noun.kind}_{view.__name__}"
    return of_noun
