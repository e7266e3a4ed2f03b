"""What the pages of forwarders and of notification channels have in common: forms by the adapters' schemas, health, tests, history."""
