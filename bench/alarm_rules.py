"""A hundred enabled rules, of which each message is tested by two: they watch what never happens, as most rules do."""

from bench import platform
from tests.services import Services

GROUPS = 50
NOT_FOUND = 404
CONDITIONS = (
    {"property": "p0", "op": ">", "value": 90_000},
    {"all": [{"property": "p1", "op": "<", "value": -900}, {"property": "p0", "op": ">", "value": 0}]},
)


def make(services: Services, keys: list[str]) -> int:
    """Make them through REST, two for each of fifty groups of devices; how many there are now, 0 on a platform without rules."""
    user = platform.signed_in(services)
    if user.http.get("/api/v1/rules/").status_code == NOT_FOUND:
        return 0
    made = 0
    for group in range(GROUPS):
        for condition in CONDITIONS if keys[group::GROUPS] else ():
            user.post("rules/", rule(f"Bench {made}", keys[group::GROUPS], condition))
            made += 1
    return made


def rule(name: str, keys: list[str], condition: object) -> dict[str, object]:
    return {
        "name": name,
        "enabled": True,
        "scope": {"devices": keys},
        "trigger": "readings",
        "when": condition,
        "actions": [{"kind": "alarm", "severity": "warning", "message": "This never happens"}],
    }
