"""What a key looks like: the names by which objects are addressed in topics, addresses and files."""

from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

KEY_PATTERN = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"

validate_key = RegexValidator(
    rf"^{KEY_PATTERN}\Z",
    _("Use 1 to 64 letters, digits, “_”, “.” or “-”, and begin with a letter or digit."),
    code="bad_key",
)
