"""Lua conditions: all reports of a batch go through each script in one call to the sandbox that codecs run in.

A script sees `values`, `fresh` (what the report itself says), `attributes`, `device` and `at` (ms). It is an expression,
or statements with a `return`; nil means that it does not know.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from devices.codecs.lua import compile_error, decode
from devices.exceptions import Invalid
from devices.messages import Decoded, Frame, Report

from .compiled import Compiled
from .conditions import Lua
from .problems import BadRule
from .roster import Member

_RETURNS = re.compile(r"\breturn\b")
Key = tuple[str, int]


class Scripts(NamedTuple):
    """Answers by device and instant, and then by rule and number; a script that failed answers with its error."""

    answers: Mapping[tuple[int, int], Mapping[Key, Any]]

    def of(self, member: Member, report: Report) -> Mapping[Key, Any]:
        return self.answers.get((member.id, report.at), {})


NONE = Scripts({})


def source_of(script: Lua) -> str:
    """The script as the sandbox takes it."""
    body = script.source if _RETURNS.search(script.source) else f"return ({script.source}\n)"
    return f"""local function condition(values, fresh, attributes, device, at)
{body}
end
function decode(payload)
    local facts = json.decode(payload)
    local so = condition(facts.values, facts.fresh, facts.attributes, facts.device, facts.at)
    if so == nil then return {{}} end
    return {{so = so and true or false}}
end
"""


def check_scripts(rule: Compiled) -> None:
    """Raises BadRule for a script that does not compile."""
    for script in rule.needs.lua:
        if error := compile_error(source_of(script)):
            raise BadRule(script.path, error)


def run(concerned: Sequence[tuple[Member, Any]]) -> Scripts:
    """Ask the scripts about all reports of a batch. Raises Unavailable where the sandbox cannot be started."""
    if not any(member.plan.lua for member, _ in concerned):
        return NONE
    frames: dict[tuple[Key, str], list[tuple[tuple[int, int], Frame]]] = {}
    known: dict[int, dict[str, Any]] = {}
    for member, each in concerned:
        if member.plan.lua and type(each) is Report:
            values = known.setdefault(member.id, dict(member.facts.values))
            values.update(each.values)
            frame = _frame(member, each, values)
            for rule in member.plan.of("readings"):
                for script in rule.needs.lua:
                    asked = ((str(rule.id), script.number), source_of(script))
                    frames.setdefault(asked, []).append(((member.id, each.at), frame))
    answers: dict[tuple[int, int], dict[Key, Any]] = {}
    for (key, source), slots in frames.items():
        for (slot, _), found in zip(slots, decode(source, [frame for _, frame in slots]), strict=True):
            answers.setdefault(slot, {})[key] = _answer(found)
    return Scripts(answers)


def _frame(member: Member, report: Report, values: Mapping[str, Any]) -> Frame:
    facts = {"values": values, "fresh": report.values, "attributes": dict(member.facts.attributes), "device": member.about.key}
    payload = orjson.dumps({**facts, "at": report.at // 1000})
    return Frame(payload, "", member.about.key, member.about.product, None, report.received_at)


def _answer(found: Decoded | Invalid) -> Any:
    if isinstance(found, Invalid):
        return found
    return found.samples[0].values.get("so") if found.samples else None
