"""The hourly look: each provider's lists of payments, repayments and disputes, held against ours.

What is provably the same is repaired as if its event had come; the rest is a difference, which
finance sees until both sides are the same. Only states are compared, so it does not matter which
events were lost.
"""
