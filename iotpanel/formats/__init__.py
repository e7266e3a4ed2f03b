"""How dates look where Django writes them (the admin): 24 hours, day before month, per language."""
