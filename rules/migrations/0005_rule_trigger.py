"""The kind of a rule's trigger in a column of its own: who changes a command asks whether any rule looks at commands."""

from django.conf import settings
from django.db import migrations, models

FILL = """
    UPDATE rules_rule SET trigger = coalesce(body -> 'trigger' ->> 'kind', body ->> 'trigger', 'readings')
    WHERE body ? 'trigger' AND jsonb_typeof(body -> 'trigger') IN ('string', 'object')
"""


class Migration(migrations.Migration):
    dependencies = [
        ("rules", "0004_outbox_delivery"),
        ("tenants", "0002_rate_limits"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.AddField("rule", "trigger", models.CharField(default="readings", editable=False, max_length=16)),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.AddIndex(
            "rule",
            models.Index(condition=models.Q(("enabled", True), ("trigger", "command")), fields=["tenant"], name="rule_on_commands"),
        ),
    ]
