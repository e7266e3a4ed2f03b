"""Each address that a rule calls has a queue of its own; what waited in one for all goes to its own."""

from django.db import migrations, models

ASIDE = """
UPDATE rules_outbox SET lane = left(encode(sha256(convert_to(payload->>'url', 'UTF8')), 'hex'), 16)
WHERE kind = 'webhook' AND state <> 'delivered' AND payload->>'url' IS NOT NULL;
INSERT INTO rules_target (tenant_id, kind, target, lane, lease, failures, delivered, dead, last_error)
SELECT DISTINCT tenant_id, kind, target, lane, '', 0, 0, 0, '' FROM rules_outbox WHERE lane <> ''
ON CONFLICT DO NOTHING;
"""
TOGETHER = """
DELETE FROM rules_target one USING rules_target other
WHERE one.tenant_id = other.tenant_id AND one.kind = other.kind AND one.target = other.target AND other.id < one.id;
"""


def lane() -> models.Field:
    return models.CharField(blank=True, db_default="", default="", max_length=16, verbose_name="address")


class Migration(migrations.Migration):
    dependencies = [("rules", "0009_disabled_about")]

    operations = [
        migrations.RemoveConstraint("target", "target_once"),
        migrations.RemoveIndex("outboxitem", "outbox_waiting"),
        migrations.AddField("delivery", "lane", lane()),
        migrations.AddField("outboxitem", "lane", lane()),
        migrations.AddField("target", "lane", lane()),
        migrations.AddIndex(
            "outboxitem",
            models.Index(condition=models.Q(state="waiting"), fields=["kind", "target", "lane", "id"], name="outbox_waiting"),
        ),
        migrations.AddConstraint("target", models.UniqueConstraint(fields=("tenant", "kind", "target", "lane"), name="target_once")),
        migrations.RunSQL(ASIDE, TOGETHER),
    ]
