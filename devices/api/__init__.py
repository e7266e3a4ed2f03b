"""REST of what exists: products, devices, groups; and the brokers' questions."""
