"""What the worker asks of Python's collector and of the C library's allocator, so that a batch costs its work and no more."""

import contextlib
import ctypes
import gc

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3  # malloc.h of glibc
KEPT = 32 * 1024 * 1024  # bytes
PAD = 1024 * 1024


def calm_collector() -> None:
    """Keep Python's cycle collector from looking through the whole process again and again.

    A batch makes tens of thousands of small objects and no cycles; what was there before it never goes away.
    Measured: a third of the pipeline's time (30 µs a message before, 22 µs after).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def keep_memory() -> None:
    """Keep freed memory for the next batch instead of handing it back to the kernel.

    By default glibc gives back what is free at the end of the heap beyond 128 KB, so every batch would fault its pages in
    again, one by one. Measured: encoding 4,000 reports took 4.5 µs each before and 0.4 µs after. Another C library than glibc
    has other habits, and is left alone.
    """
    with contextlib.suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        for option, size in ((M_TRIM_THRESHOLD, KEPT), (M_MMAP_THRESHOLD, KEPT), (M_TOP_PAD, PAD)):
            mallopt(option, size)
