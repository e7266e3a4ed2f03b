"""What every REST endpoint shares, whatever it is about."""
