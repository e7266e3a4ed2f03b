"""What addresses of HTTP look like. Secrets have no place in them: addresses are shown to everybody who may look."""

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

WHOLE: Final = r"^https?://[^\s/?#@]+([/?#]\S*)?$"
BEGINNING: Final = r"^https?://[^\s/?#@]+/?$"
BARE: Final = r"^https?://[^\s/?#@]+$"
_BEGINNING = gettext_lazy("An address such as https://example.org, without a path, user name or password.")
SAID: Final[dict[str, str | Promise]] = {
    WHOLE: gettext_lazy("An address such as https://example.org/in, without a user name or password in it."),
    BEGINNING: _BEGINNING,
    BARE: _BEGINNING,
}
