"""A view of typed columns for each product, for people who ask in SQL: `product_<tenant>_<key>`.

The view's comment says which product it is of and what it was made from, so `refresh` finds what is new, changed or
left over, and touches nothing that is not ours.
"""

from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import NamedTuple

from django.db import connection, transaction
from psycopg import sql

from devices.models import Product
from iotpanel.statements import execute

MARK = "iotpanel product"
LONGEST = 63  # bytes of an identifier
MOST_COLUMNS = 1500
TYPES = {"number": ("number", "double precision"), "boolean": ("boolean", "boolean"), "text": ("string", "text"), "json": (None, "jsonb")}

EXISTING = """
    SELECT relname, obj_description(oid, 'pg_class') FROM pg_class
    WHERE relkind = 'v' AND relnamespace = current_schema()::regnamespace AND obj_description(oid, 'pg_class') LIKE %s
"""


class View(NamedTuple):
    name: str
    definition: str
    product_id: int

    @property
    def comment(self) -> str:
        digest = sha256(f"{self.name}\0{self.definition}".encode()).hexdigest()[:16]
        return f"{MARK} {self.product_id} {digest}"


def refresh() -> int:
    """Make the views what the products say; how many changed."""
    with transaction.atomic():
        execute("SELECT pg_advisory_xact_lock(7104003)")
        wanted = {view.comment: view for view in _views()}
        existing = {comment: name for name, comment in execute(EXISTING, [f"{MARK} %"])}
        stale = [name for comment, name in existing.items() if comment not in wanted]
        new = [view for comment, view in wanted.items() if comment not in existing]
        for name in stale:
            _run(sql.SQL("DROP VIEW {}").format(sql.Identifier(name)))
        for view in new:
            _create(view)
    return len(stale) + len(new)


def drop_all() -> None:
    """Drop the views, so that a migration may change what they look at; the next refresh makes them again."""
    for name, _ in execute(EXISTING, [f"{MARK} %"]):
        _run(sql.SQL("DROP VIEW {}").format(sql.Identifier(name)))


def _create(view: View) -> None:
    name = sql.Identifier(view.name)
    if execute("SELECT to_regclass(%s)", [name.as_string()])[0][0] is not None:
        return  # somebody's own: theirs stays
    _run(sql.SQL("CREATE VIEW {} AS ").format(name) + sql.SQL(view.definition))
    _run(sql.SQL("COMMENT ON VIEW {} IS {}").format(name, sql.Literal(view.comment)))


def _run(statement: sql.Composable) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement.as_string())


def _views() -> Iterator[View]:
    taken: set[str] = set()
    for product in Product.objects.select_related("tenant").order_by("id"):
        name = _free(f"product_{product.tenant.key}_{product.key}", taken)
        yield View(name, _definition(product), product.pk)


def _definition(product: Product) -> str:
    columns, taken = [], {"device_key", "at"}
    for prop in _properties(product):
        key, (kind, type_name) = prop["key"], TYPES.get(prop.get("type", ""), TYPES["json"])
        columns.append(_column(key, kind, type_name).format(sql.Identifier(_free(key, taken))))
    query = sql.SQL(
        "SELECT device.key AS device_key, row.at{} FROM devices_device AS device"
        " JOIN telemetry_report AS row ON row.device_id = device.id WHERE device.product_id = {}"
    )
    return query.format(sql.SQL("").join(columns), sql.Literal(product.pk)).as_string()


def _column(key: str, kind: str | None, type_name: str) -> sql.SQL:
    """A value that is of another type than the thing model's is null here; the raw readings still have it."""
    value = sql.SQL("row.values -> {}").format(sql.Literal(key)).as_string()
    if kind is None:
        return sql.SQL(_escaped(f", {value} AS ") + "{}")
    as_text = value.replace(" -> ", " ->> ", 1)
    cast = f"CASE WHEN jsonb_typeof({value}) = '{kind}' THEN ({as_text})::{type_name} END"
    return sql.SQL(_escaped(f", {cast} AS ") + "{}")


def _escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _properties(product: Product) -> Iterable[dict[str, str]]:
    return product.thing_model.get("properties", [])[:MOST_COLUMNS]


def _free(name: str, taken: set[str]) -> str:
    """The name, cut to what an identifier may hold and told apart from those taken."""
    chosen, number = _cut(name, LONGEST), 2
    while chosen in taken:
        suffix = f"_{number}"
        chosen, number = _cut(name, LONGEST - len(suffix)) + suffix, number + 1
    taken.add(chosen)
    return chosen


def _cut(name: str, size: int) -> str:
    return name.encode()[:size].decode(errors="ignore")
