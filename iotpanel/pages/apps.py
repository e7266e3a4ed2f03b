from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PagesConfig(AppConfig):
    name = "iotpanel.pages"
    label = "pages"
    verbose_name = _("Pages")

    def ready(self) -> None:
        from iotpanel import checks  # noqa: F401 - registers them; the app above all others is where the project's own belong
