"""The addresses of the pages: nouns with the object's key; what a page shows is its query."""

from django.urls import URLPattern, URLResolver, path

from . import account, frame, search

urlpatterns: list[URLPattern | URLResolver] = [
    path("search/", search.search, name="search"),
    path("tenant/", frame.switch_tenant, name="switch-tenant"),
    path("language/", frame.set_language, name="language"),
    path("no-tenant/", frame.no_tenant, name="no-tenant"),
    path("account/", account.account, name="account"),
    path("account/tokens/<str:token>/revoke/", account.revoke_token, name="revoke-token"),
    path("manifest.webmanifest", frame.manifest, name="manifest"),
]
