"""Addresses below /api/v1/."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from .alarms import AlarmsViewSet
from .around import MaintenancesViewSet, RotationsViewSet
from .browsers import BrowserKeyView, BrowsersViewSet
from .channels import ChannelsViewSet, NoticesViewSet
from .forwarders import ForwardersViewSet
from .rules import RulesViewSet

router = SimpleRouter()
router.register("rules", RulesViewSet, "rules")
router.register("alarms", AlarmsViewSet, "alarms")
router.register("maintenances", MaintenancesViewSet, "maintenances")
router.register("rotations", RotationsViewSet, "rotations")
router.register("forwarders", ForwardersViewSet, "forwarders")
router.register("channels", ChannelsViewSet, "channels")
router.register("me/browsers", BrowsersViewSet, "browsers")

urlpatterns = [
    path("me/browsers/key/", BrowserKeyView.as_view(), name="browsers-key"),
    *router.urls,
    path("notices/", NoticesViewSet.as_view({"get": "list"}), name="notices-list"),
    path("notices/read/", NoticesViewSet.as_view({"post": "read"}), name="notices-read"),
]
