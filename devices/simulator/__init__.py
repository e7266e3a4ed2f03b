"""A simulated fleet that talks through the real broker with real credentials.

`fleet.py` says who is in it, `accounts.py` registers them (the only part that needs Django), `kinds/` says what each
kind of device would measure at any instant, and `runner.py` sends it over MQTT, in a process of its own without Django.
"""
