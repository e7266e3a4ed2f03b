"""Live data: from the process that commits a batch to every browser that watches one of its devices.

    publisher.py   the worker's end: keeps the newest value of each watched property, sends ten times a second
    register.py    who watches what: a page of Valkey that each web process writes and each worker reads
    hub.py         the web process's end: one subscription, fanned out to its connections
    mailbox.py     what waits for one connection; bounded, newest value wins
    flow.py        whether the connection's peer still reads

A worker sends one message per web process and tick, however many devices and browsers there are; for devices that
nobody watches it does nothing but a set lookup.
"""

from .publisher import Publisher, publisher

__all__ = ["Publisher", "publisher"]
