"""The admin's pages between the lists and the forms: a question before something ends, a secret that is shown once."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.http import HttpRequest
from django.template.response import TemplateResponse

CONFIRMED = "confirmed"
Pairs = Sequence[tuple[Any, str]]


def confirmed(request: HttpRequest) -> bool:
    """Whether this request is the answer to `ask`."""
    return request.method == "POST" and request.POST.get(CONFIRMED) == "yes"


def ask(
    request: HttpRequest, admin: Any, *, question: str, consequence: str, verb: str, names: Iterable[str] = (), form: Any = None, back: str
) -> TemplateResponse:
    """The question as title, what it leads to as text, the verb on the button; sends what was sent, and `confirmed`."""
    kept = [(name, value) for name in ("action", "select_across", "index", ACTION_CHECKBOX_NAME) for value in request.POST.getlist(name)]
    context = {
        "question": question,
        "consequence": consequence,
        "verb": verb,
        "names": list(names),
        "kept": kept,
        "form": form,
        "back": back,
    }
    return _page(request, admin, "admin/iotpanel/ask.html", {"title": question, "confirmed": CONFIRMED} | context)


def shown_once(
    request: HttpRequest, admin: Any, *, title: str, explanation: str, secrets: Pairs, links: Pairs, snippet: str = ""
) -> TemplateResponse:
    """Secrets, in an answer that nothing keeps: no cookie, no session, no cache."""
    context = {"title": title, "explanation": explanation, "secrets": secrets, "links": links, "snippet": snippet}
    response = _page(request, admin, "admin/iotpanel/shown_once.html", context)
    response["Cache-Control"] = "no-store, private"
    return response


def _page(request: HttpRequest, admin: Any, template: str, context: dict[str, Any]) -> TemplateResponse:
    request.current_app = admin.admin_site.name
    shared = admin.admin_site.each_context(request) | {"opts": admin.opts, "media": admin.media}
    return TemplateResponse(request, template, shared | context)
