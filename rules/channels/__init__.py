"""How people are told, by kind. A channel is one small file, one line here, and one test against a fake of the service's API."""

from iotpanel.registry import Registry

from .base import Adapter, Note

CHANNELS: Registry[type[Adapter]] = Registry(
    "notification channel",
    {
        "inpage": "rules.channels.inpage:InpageChannel",
        "web_push": "rules.channels.web_push:WebPushChannel",
        "email": "rules.channels.email:EmailChannel",
        "webhook": "rules.channels.webhook:WebhookChannel",
        "slack": "rules.channels.slack:SlackChannel",
        "teams": "rules.channels.teams:TeamsChannel",
        "telegram": "rules.channels.telegram:TelegramChannel",
        "dingtalk": "rules.channels.dingtalk:DingtalkChannel",
        "wecom": "rules.channels.wecom:WecomChannel",
        "feishu": "rules.channels.feishu:FeishuChannel",
    },
)

__all__ = ["CHANNELS", "Adapter", "Note"]
