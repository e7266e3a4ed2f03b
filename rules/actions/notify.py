"""Tell people, by one of the tenant's channels."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from rules.firing import Firing
from rules.models import Channel
from rules.outbox import Promise, promise
from rules.problems import BadRule

from .about import Templates, said


class NotifyAction:
    SETTINGS: dict[str, Any] = {
        "type": "object",
        "properties": {
            "channel": {"type": "integer", "minimum": 1, "maximum": 9_007_199_254_740_991, "description": "The channel's id."},
            "title": {"type": "string", "maxLength": 4000, "description": "Template; empty: the channel's own."},
            "text": {"type": "string", "maxLength": 4000},
        },
        "required": ["channel"],
        "additionalProperties": False,
    }

    def __init__(self, settings: dict[str, Any]) -> None:
        self.channel = int(settings["channel"])
        self.words = {name: settings[name] for name in ("title", "text") if settings.get(name)}
        self.templates = Templates(settings, "title", "text")

    def check(self, world: Any, rule: Any, path: str) -> None:
        """Raises BadRule where the tenant has no such channel, or a template does not compile."""
        self.templates.check(path)
        if not Channel.objects.for_tenant(world.tenant).filter(pk=self.channel).exists():
            raise BadRule(f"{path}.channel", _("There is no such channel."))

    def run(self, firings: Sequence[Firing]) -> None:
        """See Action.run. The first message waits a little for others, so that they go as one."""
        waits = dict(Channel.objects.filter(pk=self.channel).values_list("tenant_id", "group_wait"))
        promise(
            [
                Promise(each.tenant_id, "channel", self.channel, each.device_id, said(each) | self.words, waits.get(each.tenant_id, 0))
                for each in firings
            ]
        )
