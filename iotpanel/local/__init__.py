"""The embedded stack behind ``make run``: find or unpack the servers, start the parts, watch over them."""
