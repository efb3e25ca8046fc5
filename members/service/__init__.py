"""How members sign in, and what they say about themselves."""
