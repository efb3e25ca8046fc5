"""What happens at a store, as it happens: server-sent events for its screens and managers.

A process of its own, in one thread, for thousands of followers. It shares the database and the key
with the others and nothing else: whom the web lets follow gets a ticket, and a ticket is all that
it asks for.
"""
