"""Attacks on the HTTP interface, over every route that the application lists."""
