"""Changes of groups and labels; what is known of the past is how they are now.

Triggers, because bulk writes, cascades and SQL change memberships too. `at` is the transaction's time, so that what is taken
away and given back within one is no change; of two transactions that meet at one row the later writer is never the earlier one.
"""

from django.db import migrations, models

NOTES = """
CREATE FUNCTION devices_note_labels() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO devices_labelchange (device_id, at, labels) SELECT id, now(), labels FROM changed;
    ELSE
        INSERT INTO devices_labelchange (device_id, at, labels)
        SELECT changed.id, greatest(now(), (SELECT max(at) FROM devices_labelchange AS earlier WHERE earlier.device_id = changed.id)), changed.labels
        FROM changed JOIN before USING (id) WHERE changed.labels <> before.labels;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER devices_device_labels_made AFTER INSERT ON devices_device
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION devices_note_labels();
CREATE TRIGGER devices_device_labels_changed AFTER UPDATE ON devices_device
    REFERENCING NEW TABLE AS changed OLD TABLE AS before FOR EACH STATEMENT EXECUTE FUNCTION devices_note_labels();

CREATE FUNCTION devices_note_groups() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO devices_groupchange (device_id, group_id, at, inside)
    SELECT device_id, group_id, greatest(now(), (
        SELECT max(at) FROM devices_groupchange AS earlier WHERE earlier.device_id = changed.device_id AND earlier.group_id = changed.group_id
    )), TG_OP = 'INSERT' FROM changed;
    RETURN NULL;
END $$;
CREATE TRIGGER devices_device_groups_in AFTER INSERT ON devices_device_groups
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION devices_note_groups();
CREATE TRIGGER devices_device_groups_out AFTER DELETE ON devices_device_groups
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION devices_note_groups();

CREATE FUNCTION devices_note_tree() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO devices_treechange (tenant_id, group_id, at, key, parent_id, gone)
    SELECT tenant_id, id, greatest(now(), (SELECT max(at) FROM devices_treechange AS earlier WHERE earlier.group_id = changed.id)), key,
        parent_id, TG_OP = 'DELETE'
    FROM changed WHERE TG_OP <> 'UPDATE' OR NOT EXISTS (
        SELECT FROM (
            SELECT * FROM devices_treechange AS earlier WHERE earlier.group_id = changed.id ORDER BY earlier.id DESC LIMIT 1
        ) AS newest WHERE newest.key = changed.key AND newest.parent_id IS NOT DISTINCT FROM changed.parent_id
    );
    RETURN NULL;
END $$;
CREATE TRIGGER devices_group_tree_made AFTER INSERT ON devices_group
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION devices_note_tree();
CREATE TRIGGER devices_group_tree_changed AFTER UPDATE ON devices_group
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION devices_note_tree();
CREATE TRIGGER devices_group_tree_gone AFTER DELETE ON devices_group
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION devices_note_tree();
"""
NO_NOTES = """
DROP FUNCTION devices_note_labels() CASCADE;
DROP FUNCTION devices_note_groups() CASCADE;
DROP FUNCTION devices_note_tree() CASCADE;
"""
SEED = """
INSERT INTO devices_labelchange (device_id, at, labels) SELECT id, now(), labels FROM devices_device;
INSERT INTO devices_groupchange (device_id, group_id, at, inside) SELECT device_id, group_id, now(), true FROM devices_device_groups;
INSERT INTO devices_treechange (tenant_id, group_id, at, key, parent_id, gone)
SELECT tenant_id, id, now(), key, parent_id, false FROM devices_group;
"""


def number() -> models.BigAutoField:
    return models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")


class Migration(migrations.Migration):
    dependencies = [("devices", "0016_factory_certificates")]

    operations = [
        migrations.CreateModel(
            name="LabelChange",
            fields=[
                ("id", number()),
                ("device_id", models.BigIntegerField()),
                ("at", models.DateTimeField()),
                ("labels", models.JSONField()),
            ],
            options={
                "verbose_name": "change of labels",
                "verbose_name_plural": "changes of labels",
                "ordering": ["at", "id"],
                "indexes": [models.Index(fields=["device_id", "at"], name="label_change_by_time")],
            },
        ),
        migrations.CreateModel(
            name="GroupChange",
            fields=[
                ("id", number()),
                ("device_id", models.BigIntegerField()),
                ("group_id", models.BigIntegerField()),
                ("at", models.DateTimeField()),
                ("inside", models.BooleanField()),
            ],
            options={
                "verbose_name": "change of a membership",
                "verbose_name_plural": "changes of memberships",
                "ordering": ["at", "id"],
                "indexes": [
                    models.Index(fields=["device_id", "at"], name="group_change_by_time"),
                    models.Index(fields=["group_id", "device_id"], name="group_change_by_group"),
                ],
            },
        ),
        migrations.CreateModel(
            name="TreeChange",
            fields=[
                ("id", number()),
                ("tenant_id", models.BigIntegerField()),
                ("group_id", models.BigIntegerField()),
                ("at", models.DateTimeField()),
                ("key", models.CharField(max_length=64)),
                ("parent_id", models.BigIntegerField(null=True)),
                ("gone", models.BooleanField()),
            ],
            options={
                "verbose_name": "change of a tree",
                "verbose_name_plural": "changes of trees",
                "ordering": ["at", "id"],
                "indexes": [
                    models.Index(fields=["tenant_id", "at"], name="tree_change_by_time"),
                    models.Index(fields=["group_id", "at"], name="tree_change_by_group"),
                ],
            },
        ),
        migrations.RunSQL(NOTES, NO_NOTES),
        migrations.RunSQL(SEED, migrations.RunSQL.noop),
    ]
