"""Every address of the platform."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from devices.api.brokers import ask as ask_broker
from iotpanel.api.views import DocsView, no_such_address, schema
from iotpanel.pages.entrance import closed, sign_in
from telemetry.api.broker_events import events as broker_events

admin.autodiscover()
api: list[URLPattern | URLResolver] = [
    path("", include("iotpanel.tenants.api.urls")),
    path("", include("devices.api.urls")),
    path("", include("telemetry.api.urls")),
    path("", include("rules.api.urls")),
]
urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/login/", sign_in),
    path("admin/", admin.site.urls),
    *closed,
    path("accounts/", include("allauth.urls")),
    path("api/schema/", schema, name="api-schema"),
    path("api/docs/", DocsView.as_view(), name="api-docs"),
    path("api/v1/", include(api)),
    path("api/", no_such_address),
    path("api/<path:rest>", no_such_address),
    path("broker/auth", ask_broker),
    path("broker/acl", ask_broker),
    path("broker/events", broker_events),
    path("", include("iotpanel.pages.urls")),
]

handler400 = "iotpanel.faults.not_understood"
handler403 = "iotpanel.faults.denied"
handler404 = "iotpanel.faults.not_found"
handler500 = "iotpanel.faults.failed"
