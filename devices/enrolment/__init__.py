"""How devices come in by themselves or by hand: self-registration, claim codes, many at once."""
