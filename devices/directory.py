"""Who is who on the uplink: from a device's key to what the pipeline has to know of it, cached.

What was read stays in memory until PostgreSQL says on `iotpanel_directory` that the registry changed. The
notification comes with the first query of a batch, so a batch sees whatever was committed before it began.
Keys that nobody has are never cached: a device that was created a moment ago is known at once.
"""

from collections.abc import Iterable
from typing import NamedTuple

from django.db import connections
from django.db.models import Q

from devices import topics
from devices.limits import Limits, limits_of
from devices.models import MAX_DISCOVERED, Device, DiscoveredProperty, Product
from devices.provisioning import register_child
from devices.thing_model import ThingModel
from devices.thing_model_parser import ThingModelError, parse
from iotpanel import databases
from iotpanel.tenants.models import Tenant

CHANNEL = "iotpanel_directory"
MAX_DEPTH = 16  # of gateways above a device
# Any change in the registry has each of ten thousand devices read anew: model instances took four times as long.
COLUMNS = ("pk", "key", "tenant_id", "product_id", "parent_id", "enabled", "rate_limit", "rate_burst")


class ProductEntry(NamedTuple):
    """A product as the pipeline sees it; `discovered` holds ("property" or "attribute", name) pairs."""

    id: int
    key: str
    tenant_id: int
    model: ThingModel
    codec: str
    script: str
    accepts_unknown: bool
    discovered: set[tuple[str, str]]
    patterns: list[topics.Pattern]
    registers_children: bool
    child_product_id: int | None
    archives: bool = False
    rate_limit: float | None = None
    rate_burst: int | None = None


class DeviceEntry(NamedTuple):
    """A device as the pipeline sees it."""

    id: int
    key: str
    tenant_id: int
    product: ProductEntry
    parent_id: int | None
    enabled: bool
    limits: Limits | None = None  # None where nothing limits it, which costs the pipeline nothing


class Directory:
    """A cache of devices and products. One per thread; forgets by itself when the registry changes."""

    def __init__(self, using: str = "default") -> None:
        self._using = using
        self.known: dict[str, DeviceEntry] = {}  # by key; nobody else writes
        self._by_id: dict[int, DeviceEntry] = {}
        self._products: dict[int, ProductEntry] = {}
        self._tenants: dict[int, Tenant] = {}
        self._patterns: list[topics.Pattern] | None = None
        self._listening: object = None
        self.generation = 0  # grows whenever something may have changed

    def refresh(self) -> None:
        """One round trip: learn of changes, and subscribe to them on a fresh connection. Call it first in a batch."""
        connection = connections[self._using]
        if connection.in_atomic_block or databases.are_shared():
            # A LISTEN holds from the commit on, which may never come, and the next connection may be one that heard nothing:
            # trust nothing that was read before.
            return self.forget()
        with connection.cursor() as cursor:
            if self._listening is not connection.connection:
                cursor.execute(f"LISTEN {CHANNEL}")
                connection.connection.add_notify_handler(lambda _: self.forget())
                self._listening = connection.connection
                self.forget()
            else:
                cursor.execute("SELECT 1")
        return None

    def forget(self) -> None:
        """Read everything anew from now on."""
        self.generation += 1
        self.known.clear()
        self._by_id.clear()
        self._products.clear()
        self._tenants.clear()
        self._patterns = None

    def load(self, keys: Iterable[str]) -> None:
        """Read the devices of these keys that are not known yet, in one query."""
        missing = {key for key in keys if key not in self.known}
        if missing:
            self._read(Q(key__in=missing))

    def device(self, key: str) -> DeviceEntry | None:
        """The device of this key, or None."""
        if key not in self.known:
            self.load([key])
        return self.known.get(key)

    def patterns(self) -> list[topics.Pattern]:
        """All topics that products map for themselves."""
        if self._patterns is None:
            mapped = Product.objects.exclude(topics=[]).values_list("topics", "codec_kind")
            self._patterns = [pattern for own, codec in mapped for pattern in patterns_of(own, codec)]
        return self._patterns

    def is_below(self, device: DeviceEntry, gateway: DeviceEntry) -> bool:
        """Whether `gateway` is among the gateways above `device`."""
        parent_id = device.parent_id
        for _ in range(MAX_DEPTH):
            if parent_id is None or parent_id == gateway.id:
                return parent_id is not None
            if parent_id not in self._by_id:
                self._read(Q(pk=parent_id))
            parent_id = self._by_id[parent_id].parent_id
        return False

    def register(self, gateway: DeviceEntry, key: str) -> DeviceEntry:
        """Make the child that the gateway speaks for, as its product allows. Raises Invalid."""
        child = register_child(Device.objects.get(pk=gateway.id), key)
        self._read(Q(pk=child.pk))
        return self._by_id[child.pk]

    def discover(self, product: ProductEntry, kind: str, names: Iterable[str]) -> bool:
        """Take note of names that the thing model lacks; False where the product has too many of them already."""
        fresh = [(kind, name) for name in names if (kind, name) not in product.discovered]
        if not fresh:
            return True
        if len(product.discovered) + len(fresh) > MAX_DISCOVERED:
            return False
        rows = [DiscoveredProperty(product_id=product.id, kind=kind, key=name) for _, name in fresh]
        DiscoveredProperty.objects.bulk_create(rows, ignore_conflicts=True)
        product.discovered.update(fresh)
        return True

    def _read(self, wanted: Q) -> None:
        """Take note of these devices, with their products and tenants."""
        rows = list(Device.objects.filter(wanted).values_list(*COLUMNS, named=True))
        products = {row.product_id for row in rows} - self._products.keys()
        if products:
            found = Product.objects.filter(pk__in=products)
            self._products.update({product.pk: product_entry(product) for product in found})
        tenants = {row.tenant_id for row in rows} - self._tenants.keys()
        if tenants:
            self._tenants.update(Tenant.objects.in_bulk(tenants))
        for row in rows:
            product, tenant = self._products.get(row.product_id), self._tenants.get(row.tenant_id)
            if product is None or tenant is None:  # deleted since, and the device with it
                continue
            limits = limits_of(row, product, tenant)
            entry = DeviceEntry(row.pk, row.key, row.tenant_id, product, row.parent_id, row.enabled, limits)
            self.known[entry.key] = self._by_id[entry.id] = entry


def product_entry(product: Product) -> ProductEntry:
    """What the pipeline has to know of a product. A thing model that no longer parses knows nothing and refuses nothing."""
    try:
        model = parse(product.thing_model)
    except ThingModelError:
        model = ThingModel({}, {}, {}, {})
    return ProductEntry(
        id=product.pk,
        key=product.key,
        tenant_id=product.tenant_id,
        model=model,
        codec=product.codec_kind,
        script=product.codec_script,
        accepts_unknown=product.unknown_properties == "accept",
        discovered=set(DiscoveredProperty.objects.filter(product=product).values_list("kind", "key")),
        patterns=patterns_of(product.topics, product.codec_kind),
        registers_children=product.register_children,
        child_product_id=product.child_product_id,
        archives=bool(product.archive_days),
        rate_limit=product.rate_limit,
        rate_burst=product.rate_burst,
    )


def patterns_of(mapped: list[dict[str, str] | str], codec: str, *, down: bool = False) -> list[topics.Pattern]:
    """The patterns of a product's `topics`, those of its uplinks or its downlinks; a bare string is telemetry, or raw
    where a script decodes.
    """
    bare = "raw" if codec == "lua" else "telemetry"
    whole = [{"topic": own} if isinstance(own, str) else own for own in mapped]
    found = [topics.Pattern.of(own["topic"], own.get("kind", bare)) for own in whole]
    return [pattern for pattern in found if pattern.goes_down is down]
