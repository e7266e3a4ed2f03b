"""Every address of the platform."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from iotpanel.api.views import DocsView, SchemaView, no_such_address

api: list[URLPattern | URLResolver] = [
    path("", include("iotpanel.tenants.api.urls")),
]
urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/", admin.site.urls),
    path("accounts/", include("allauth.urls")),
    path("api/schema/", SchemaView.as_view(), name="api-schema"),
    path("api/docs/", DocsView.as_view(), name="api-docs"),
    path("api/v1/", include(api)),
    path("api/", no_such_address),
    path("api/<path:rest>", no_such_address),
    path("", include("iotpanel.pages.urls")),
]
