"""How devices are enrolled and staff sign in."""
