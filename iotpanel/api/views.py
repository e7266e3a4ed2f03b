"""The schema, its browsable page, and the answer for addresses that do not exist."""

from functools import lru_cache
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponsePermanentRedirect, JsonResponse
from django.urls import Resolver404, resolve
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer
from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import TemplateHTMLRenderer


@lru_cache(maxsize=1)
def openapi_document() -> bytes:
    """The document as JSON. It is the same for everybody and costs half a second, so a process makes it once."""
    document = SchemaGenerator().get_schema(request=None, public=True)
    return bytes(OpenApiJsonRenderer().render(document))


def schema(request: HttpRequest) -> HttpResponse:
    """The OpenAPI document."""
    return HttpResponse(openapi_document(), content_type=OpenApiJsonRenderer.media_type)


class SwaggerRenderer(TemplateHTMLRenderer):
    charset = "utf-8"


class DocsView(SpectacularSwaggerSplitView):
    """The browsable page; its script comes by an address of its own, as a strict CSP wants it."""

    url_name = "api-schema"
    url_self = "/api/docs/"
    renderer_classes = [SwaggerRenderer]
    content_negotiation_class = DefaultContentNegotiation


@csrf_exempt
def no_such_address(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
    """404 in the API's own shape; with only the slash missing, the way to the right address (method and body kept)."""
    if not request.path.endswith("/") and _exists(f"{request.path}/"):
        query = request.META.get("QUERY_STRING", "")
        return HttpResponsePermanentRedirect(f"{request.path}/{'?' if query else ''}{query}", preserve_request=True)
    return JsonResponse({"code": "not_found", "message": _("There is no such address."), "details": None}, status=404)


def _exists(path: str) -> bool:
    try:
        return resolve(path).func is not no_such_address
    except Resolver404:
        return False
