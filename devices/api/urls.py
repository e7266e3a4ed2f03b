"""The addresses of what exists, below /api/v1/."""

from django.urls import re_path
from rest_framework.routers import SimpleRouter

from iotpanel.tenants.keys import KEY_PATTERN

from .commands import CommandsView, CommandView
from .views import DevicesViewSet, GroupsViewSet, ProductsViewSet

router = SimpleRouter()
router.register("products", ProductsViewSet, "products")
router.register("devices", DevicesViewSet, "devices")
router.register("groups", GroupsViewSet, "groups")

DEVICE = rf"^devices/(?P<key>{KEY_PATTERN})/"

urlpatterns = [
    re_path(rf"{DEVICE}commands/$", CommandsView.as_view(), name="commands"),
    re_path(rf"{DEVICE}commands/(?P<id>[0-9]{{1,19}})/$", CommandView.as_view(), name="command"),
    *router.urls,
]
