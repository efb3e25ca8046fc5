"""Statistics of plans: counted from what happened, kept by month, the same whenever counted."""
