"""Bytes to values and back. Each kind is one module or package; this table names them all.

A codec kind is a function from a product's script and some frames to one answer per frame, in order.
"""

from collections.abc import Callable, Sequence

from devices.exceptions import Invalid
from devices.messages import Decoded, Frame
from iotpanel.registry import Registry

Decode = Callable[[str, Sequence[Frame]], list[Decoded | Invalid]]

CODECS: Registry[Decode] = Registry(
    "codec",
    {
        "json": "devices.codecs.json:decode",
        "lua": "devices.codecs.lua:decode",
    },
)
