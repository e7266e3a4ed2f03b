"""What exists, and how we talk to it: products, devices, codecs, connectors."""
