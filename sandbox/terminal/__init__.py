"""A second provider, for card terminals at the counter, deliberately unlike the first.

It speaks JSON, takes ids from its client, counts in whole units of the currency, and tells nobody
anything unasked. A request under an id that is known answers with what became of it; so does a
repeated one after a lost answer. Only whoever holds a card to the terminal decides.
"""
