"""A scene: actions one after the other, with pauses in between."""

from collections.abc import Sequence
from typing import Any

from rules import scenes, validation
from rules.durations import PATTERN, BadSpan, parse_span
from rules.firing import Firing
from rules.problems import BadRule

MOST_STEPS = 50


class SceneAction:
    """`steps` are actions as a rule has them, and `{"wait": "5s"}`."""

    SETTINGS: dict[str, Any] = {
        "type": "object",
        "properties": {
            "steps": {
                "type": "array",
                "minItems": 1,
                "maxItems": MOST_STEPS,
                "items": {
                    "anyOf": [
                        {"type": "object", "properties": {"wait": {"type": "string", "pattern": PATTERN}}, "required": ["wait"]},
                        {"type": "object", "properties": {"kind": {"type": "string", "not": {"const": "scene"}}}, "required": ["kind"]},
                    ]
                },
            }
        },
        "required": ["steps"],
        "additionalProperties": False,
    }

    def __init__(self, settings: dict[str, Any]) -> None:
        self.steps = settings["steps"]

    def check(self, world: "validation.World", rule: Any, path: str) -> None:
        """Each step as an action of its own. Raises BadRule."""
        for index, step in enumerate(self.steps):
            if "wait" not in step:
                validation.check_action(world, rule, step, f"{path}.steps.{index}")
                continue
            try:
                parse_span(step["wait"])
            except BadSpan as error:
                raise BadRule(f"{path}.steps.{index}.wait", error.text, **error.places) from error

    def run(self, firings: Sequence[Firing]) -> None:
        """See Action.run."""
        scenes.begin(self.steps, firings)
