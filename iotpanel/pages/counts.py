"""The numbers beside the navigation's entries, all of one tenant by one question: every page asks it."""

from typing import NamedTuple

from iotpanel.statements import execute
from iotpanel.tenants.models import Tenant
from rules.models import Severity

# Each is what the list behind its entry shows at first: `open` of alarms and dead letters, `running` of rules.
_COUNTS = """
    SELECT
        (SELECT count(*) FROM devices_device WHERE tenant_id = %(tenant)s),
        (SELECT count(*) FROM devices_product WHERE tenant_id = %(tenant)s),
        (SELECT count(*) FROM rules_rule WHERE tenant_id = %(tenant)s AND enabled),
        (SELECT count(*) FROM telemetry_dead_letter WHERE tenant_id = %(tenant)s AND replayed_at IS NULL),
        count(*),
        coalesce(array_agg(DISTINCT severity) FILTER (WHERE acknowledged_at IS NULL), '{}')
    FROM rules_alarm WHERE tenant_id = %(tenant)s AND active AND (shelved_until IS NULL OR shelved_until <= statement_timestamp())
"""


class Counts(NamedTuple):
    """`urgency` is the worst severity of what nobody has acknowledged, empty where there is none."""

    devices: int
    products: int
    rules: int
    dead_letters: int
    alarms: int
    urgency: str


def of_tenant(tenant: Tenant) -> Counts:
    """What is there now."""
    devices, products, rules, dead_letters, alarms, severities = execute(_COUNTS, {"tenant": tenant.pk})[0]
    urgency = next((severity.value for severity in Severity if severity.value in severities), "")
    return Counts(devices, products, rules, dead_letters, alarms, urgency)
