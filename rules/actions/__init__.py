"""What a rule can do, by kind. An action is one small file, one line here, and one test."""

from iotpanel.registry import Registry

from .base import Action

ACTIONS: Registry[type[Action]] = Registry(
    "action",
    {
        "alarm": "rules.actions.alarm:AlarmAction",
        "command": "rules.actions.command:CommandAction",
        "shadow": "rules.actions.shadow:ShadowAction",
        "reading": "rules.actions.reading:ReadingAction",
        "scene": "rules.actions.scene:SceneAction",
        "forward": "rules.actions.forward:ForwardAction",
        "mqtt": "rules.actions.mqtt:MqttAction",
        "notify": "rules.actions.notify:NotifyAction",
        "webhook": "rules.actions.webhook:WebhookAction",
    },
)

__all__ = ["ACTIONS", "Action"]
