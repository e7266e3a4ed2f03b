"""Why the platform switched a rule off: a code and what fills its text, said in the reader's language when it is shown."""

from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

FAILED_OFTEN: Final = "failed_often"
SAID: Final = "said"  # a text that another version of ours wrote
TEXTS: Final = {FAILED_OFTEN: gettext_noop("It failed %(times)d times within an hour: %(error)s"), SAID: "%(text)s"}
EMPTY: Final = {"times": 0, "error": "", "text": ""}


def stopped(code: str, about: Mapping[str, Any]) -> str:
    """The reason as people read it; a code that is not known here says itself."""
    if code not in TEXTS:
        return code
    text = TEXTS[code] if code == SAID else _(TEXTS[code])
    return text % {**EMPTY, **about}
