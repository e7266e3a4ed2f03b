"""Benchmarks: `python -m bench NAME --json` ends with one line of JSON; `make bench` runs them all and prints a table."""
