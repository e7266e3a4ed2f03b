"""REST for rules, alarms and forwarders."""
