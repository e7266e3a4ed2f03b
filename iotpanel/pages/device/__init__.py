"""The device page: `/devices/{key}/` and its tabs, made of what the apps below serve."""
