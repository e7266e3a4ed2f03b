"""Addresses below /api/v1/."""

from rest_framework.routers import SimpleRouter

from .alarms import AlarmsViewSet
from .around import MaintenancesViewSet, RotationsViewSet
from .rules import RulesViewSet

router = SimpleRouter()
router.register("rules", RulesViewSet, "rules")
router.register("alarms", AlarmsViewSet, "alarms")
router.register("maintenances", MaintenancesViewSet, "maintenances")
router.register("rotations", RotationsViewSet, "rotations")

urlpatterns = router.urls
