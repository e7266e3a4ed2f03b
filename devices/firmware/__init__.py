"""Firmware: packages of products, how they are kept, checked, ordered, and given out to devices.

versions.py    which version is newer; pure
signatures.py  Ed25519 over the image's SHA-256
files.py       images on disk, written and read piece by piece
packages.py    add, change, delete: every refusal has a code
addresses.py   short-lived addresses, each for one package and one device
ranges.py      HTTP ranges; pure
sending.py     an image as an answer that is never whole in memory
"""
