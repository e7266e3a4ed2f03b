"""The addresses of what exists, below /api/v1/."""

from rest_framework.routers import SimpleRouter

from .views import DevicesViewSet, GroupsViewSet, ProductsViewSet

router = SimpleRouter()
router.register("products", ProductsViewSet, "products")
router.register("devices", DevicesViewSet, "devices")
router.register("groups", GroupsViewSet, "groups")

urlpatterns = router.urls
