from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TenantsConfig(AppConfig):
    name = "iotpanel.tenants"
    label = "tenants"
    verbose_name = _("Tenants and people")
    default_auto_field = "django.db.models.BigAutoField"
