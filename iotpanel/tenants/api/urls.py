"""The addresses of people, tenants, members and keys, below /api/v1/."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from .configuration import ConfigApplyView, ConfigPlanView, ConfigView
from .tokens import TokenView
from .views import ApiKeysViewSet, MembersViewSet, MeView, TenantsViewSet

router = SimpleRouter()
router.register("tenants", TenantsViewSet, "tenants")
router.register("members", MembersViewSet, "members")
router.register("api-keys", ApiKeysViewSet, "api-keys")

urlpatterns = [
    path("auth/token/", TokenView.as_view(), name="token"),
    path("me/", MeView.as_view(), name="me"),
    path("config/", ConfigView.as_view(), name="config"),
    path("config/plan/", ConfigPlanView.as_view(), name="config-plan"),
    path("config/apply/", ConfigApplyView.as_view(), name="config-apply"),
    *router.urls,
]
