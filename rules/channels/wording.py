"""The words of a message: by its own templates, or the channel's, or these."""

from functools import lru_cache

from rules.template import Context, Template, compile_template

NAMES = {"device", "tenant", "ts", "at", "rule", "change", "values", "alarm"}
TITLE = "{{ rule.name }}: {{ device.name }} ({{ change }})"
TEXT = "{{ device.name }} ({{ device.key }}), {{ at }}: {{ values | json }}"


@lru_cache(maxsize=1000)
def _compiled(text: str) -> Template:
    return compile_template(text, NAMES)


class Wording:
    """Raises TemplateError."""

    def __init__(self, title: str, text: str) -> None:
        self.title, self.text = _compiled(title or TITLE), _compiled(text or TEXT)

    def of(self, context: Context) -> tuple[str, str]:
        """Title (one line) and text."""
        return " ".join(self.title.render(context).split()) or "iotpanel", self.text.render(context)
