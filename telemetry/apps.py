from typing import Any

from django.apps import AppConfig
from django.db.models.signals import pre_migrate
from django.utils.translation import gettext_lazy as _


class TelemetryConfig(AppConfig):
    name = "telemetry"
    verbose_name = _("Telemetry")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        pre_migrate.connect(_drop_views, sender=self)


def _drop_views(**_: Any) -> None:
    """A migration could not change a column that a product's view looks at; the next refresh makes the views again."""
    from .sql_views import drop_all  # the app is not loaded yet when this module is

    drop_all()
