"""Lua conditions: all that a batch says goes through each script in one call to the sandbox that codecs run in.

A script sees `values`, `fresh` (what the report itself says), `attributes`, `params` (of an event, a command, an alarm),
`device` and `at` (ms). It is an expression, or statements with a `return`; nil means that it does not know.
"""

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from devices.codecs.lua import compile_error, decode
from devices.exceptions import Invalid
from devices.messages import Decoded, Frame, Report

from . import extras
from .compiled import Compiled
from .conditions import Lua
from .derived import Happening
from .problems import BadRule
from .roster import Member

_RETURNS = re.compile(r"\breturn\b")
Key = tuple[str, int]


class Scripts(NamedTuple):
    """Answers by what was said (as `id()` has it, for as long as the batch lives), then by rule and number.

    A script that failed answers with its error.
    """

    answers: Mapping[int, Mapping[Key, Any]]

    def of(self, each: Any) -> Mapping[Key, Any]:
        return self.answers.get(id(each), {})


NONE = Scripts({})
NO_OTHERS: Mapping[int, Mapping[str, Any]] = {}


@lru_cache(maxsize=1024)
def source_of(script: Lua) -> str:
    """The script as the sandbox takes it."""
    body = script.source if _RETURNS.search(script.source) else f"return ({script.source}\n)"
    return f"""local function condition(values, fresh, attributes, params, device, at)
{body}
end
function decode(payload)
    local facts = json.decode(payload)
    local so = condition(facts.values, facts.fresh, facts.attributes, facts.params, facts.device, facts.at)
    if so == nil then return {{}} end
    return {{so = so and true or false}}
end
"""


def check_scripts(rule: Compiled) -> None:
    """Raises BadRule for a script that does not compile."""
    for script in rule.needs.lua:
        if error := compile_error(source_of(script)):
            raise BadRule(script.path, error)


def run(concerned: Sequence[tuple[Member, Any]], attributes: Mapping[int, Mapping[str, Any]] = NO_OTHERS) -> Scripts:
    """Ask the scripts about all reports of a batch. `attributes`: those that count, by `id()`, where they are not the member's.

    Raises Unavailable where the sandbox cannot be started.
    """
    if not any(member.plan.lua for member, _ in concerned):
        return NONE
    frames: dict[tuple[Key, str], list[tuple[int, Frame]]] = {}
    known: dict[int, dict[str, Any]] = {}
    for member, each in concerned:
        if not member.plan.lua:
            continue
        values = known.setdefault(member.id, dict(member.facts.values))
        if type(each) is Report:
            values.update(each.values)
        if scripts := [(rule, script) for rule in _asked(member, each) for script in rule.needs.lua]:
            frame = _frame(member, each, values, attributes.get(id(each), member.facts.attributes))
            for rule, script in scripts:
                frames.setdefault(((str(rule.id), script.number), source_of(script)), []).append((id(each), frame))
    answers: dict[int, dict[Key, Any]] = {}
    for (key, source), slots in frames.items():
        for (slot, _), found in zip(slots, decode(source, [frame for _, frame in slots]), strict=True):
            answers.setdefault(slot, {})[key] = _answer(found)
    return Scripts(answers)


def again(member: Member, rule: Compiled, at: int) -> Mapping[Key, Any]:
    """What one rule's scripts say of a device of which nothing has come, because a time is over."""
    if not rule.needs.lua:
        return {}
    each = Happening(member.id, at, "other", {}, rule.id)
    return run([(member, each)]).of(each)


def _asked(member: Member, each: Any) -> Sequence[Compiled]:
    """The rules that this makes look."""
    if type(each) is Report:
        return member.plan.of("readings")
    if (kind := extras.kind_of(each)) == "other":
        return [member.plan.rules[each.rule_id]]
    return [rule for rule in member.plan.of(kind) if extras.concerns(rule, each)]


def _frame(member: Member, each: Any, values: Mapping[str, Any], attributes: Mapping[str, Any]) -> Frame:
    is_report = type(each) is Report
    facts = {
        "values": values,
        "fresh": each.values if is_report else extras.fresh_of(each),
        "attributes": dict(attributes),
        "params": {} if is_report else dict(extras.params_of(each)),
        "device": member.about.key,
        "at": each.at // 1000,
    }
    return Frame(orjson.dumps(facts), "", member.about.key, member.about.product, None, getattr(each, "received_at", each.at))


def _answer(found: Decoded | Invalid) -> Any:
    if isinstance(found, Invalid):
        return found
    return found.samples[0].values.get("so") if found.samples else None
