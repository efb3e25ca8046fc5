"""How a device signs what it sends."""
