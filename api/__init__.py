"""The HTTP interface: parse, one domain call, answer."""
