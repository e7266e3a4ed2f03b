# iotpanel in two commands: `make run` and `make test`. Everything they need is made below .venv and $IOTPANEL_HOME.
#
#   make run                 start everything; IOTPANEL_PORT, IOTPANEL_MQTT_PORT, IOTPANEL_BIND, IOTPANEL_HOME, DEMO=0
#   make test ARGS="..."     the test suite, on servers of its own; ARGS go to pytest
#   make faults              each fault of tests/flows/faults with 20 seeds, which takes hours; FAULT_SEEDS=3 ARGS="-k kill" for less
#   make test-forwarders     forwarders against the real servers of other makers (RabbitMQ, MariaDB, Kafka ...)
#   make lint                ruff, mypy, import-linter, duplicates, missing migrations
#   make backup              one file with everything; FILE=where to write it
#   make restore FILE=...    put a backup back
#   make upgrade             back up, fetch the new version, its packages and tables
#   make certificates        TLS for MQTT: our own root and the broker's certificate; NAMES="panel.example.org 192.0.2.7"
#   make bench               the benchmarks, as a table; ARGS="memory --json" runs one
#   make shell               a shell with the addresses of the running stack and its programs

PYTHON ?= python3
LOCAL = .venv/bin/python -m iotpanel.local
export DEMO

.PHONY: run test test-forwarders faults certificates bench lint backup restore upgrade shell clean

run: .venv/installed
	@exec $(LOCAL) run

test: .venv/installed-dev
	@exec $(LOCAL) test $(ARGS)

faults: .venv/installed-dev
	@FAULT_SEEDS=$${FAULT_SEEDS:-20} exec $(LOCAL) test tests/flows/faults -n 0 $(ARGS)

test-forwarders: .venv/installed-dev
	@exec $(LOCAL) test-forwarders $(ARGS)

lint: .venv/installed-dev
	@exec $(LOCAL) lint

backup: .venv/installed
	@exec $(LOCAL) backup $(FILE)

restore: .venv/installed
	@exec $(LOCAL) restore $(FILE)

certificates: .venv/installed
	@exec $(LOCAL) certificates $(NAMES)

upgrade: .venv/installed
	@$(LOCAL) backup
	@if git rev-parse -q --verify '@{upstream}' >/dev/null 2>&1; then git pull --ff-only; else echo "no upstream branch: upgrading to what is checked out"; fi
	@$(MAKE) --no-print-directory .venv/installed
	@exec $(LOCAL) upgrade

bench: .venv/installed-dev
	@exec .venv/bin/python -m bench $(ARGS)

shell: .venv/installed
	@exec $(LOCAL) shell

clean:
	rm -rf .venv .iotpanel-test

.venv/installed: requirements.txt
	@$(PYTHON) -I iotpanel/local/bootstrap.py requirements.txt
	@touch $@

.venv/installed-dev: requirements.txt requirements-dev.txt
	@$(PYTHON) -I iotpanel/local/bootstrap.py requirements-dev.txt
	@touch .venv/installed $@
