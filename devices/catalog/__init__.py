"""Ready products: makers' sensors and common kinds of devices, as data.

Each is a file in `products/` in the shape of the REST API's product, with the maker beside it; a Lua script is
put together from the files in `scripts/` that it names, so that a maker's shared protocol is written once.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


class UnknownProduct(LookupError):
    """The catalog has no product of this name."""


def list_products() -> list[dict[str, str]]:
    """`{"key", "name", "maker", "description", "codec"}` of every ready product, makers' first, by name."""
    found = [_read(path.stem) for path in (HERE / "products").glob("*.json")]
    found.sort(key=lambda product: (product["maker"] == "iotpanel", product["maker"], product["name"]))
    return [
        {field: product[field] for field in ("key", "name", "maker", "description")} | {"codec": product["codec"]["kind"]}
        for product in found
    ]


def load(name: str) -> dict[str, Any]:
    """One ready product as the body of `POST /api/v1/products/`; raises UnknownProduct."""
    product = json.loads(json.dumps(_read(name)))  # the caller's own copy
    del product["maker"]
    codec = product["codec"]
    if files := codec.pop("script_files", None):
        codec["script"] = "".join((HERE / "scripts" / file).read_text() for file in files)
    return product


@cache
def _read(name: str) -> dict[str, Any]:
    if name not in {path.stem for path in (HERE / "products").glob("*.json")}:
        raise UnknownProduct(name)
    return dict(json.loads((HERE / "products" / f"{name}.json").read_text()))
