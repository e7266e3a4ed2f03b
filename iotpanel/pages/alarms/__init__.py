"""The pages of alarms: what is wrong now, and what was."""
