"""What to do about it: rules, alarms, and what they promise the outside world."""
