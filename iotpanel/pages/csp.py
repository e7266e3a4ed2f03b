"""Content security: strict for the pages (in the settings), wider where a foreign page needs it."""

from collections.abc import Callable
from typing import Any

from csp.constants import SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.http import HttpRequest, HttpResponseBase

# django-unfold ships the standard build of Alpine, which evaluates expressions and writes inline styles.
ADMIN = {"script-src": [SELF, UNSAFE_EVAL], "style-src": [SELF, UNSAFE_INLINE]}
# Swagger UI writes inline styles; its scripts come as files (iotpanel/api/views.py).
DOCS = {"style-src": [SELF, UNSAFE_INLINE]}
WIDER: list[tuple[str, dict[str, Any]]] = [("/admin/", ADMIN), ("/api/docs/", DOCS)]


class WiderPolicy:
    """Middleware: replaces directives of the policy below the prefixes that need it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        for prefix, directives in WIDER:
            if request.path.startswith(prefix):
                response._csp_replace = directives  # type: ignore[attr-defined]
        return response
