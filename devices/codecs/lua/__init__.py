"""The Lua codec: a person's script turns bytes into values, in a process that may be killed at any moment.

`scripts.py` is what callers use, `pool.py` survives what scripts do, `wire.py` and `child.py` are the two ends of
the pipe, and `prelude/` is the room that a script sees.
"""

from .samples import check_samples
from .scripts import compile_error, decode, encode
from .trial import try_out

__all__ = ["check_samples", "compile_error", "decode", "encode", "try_out"]
