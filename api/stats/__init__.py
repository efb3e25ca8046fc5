"""Figures about the business, each with its formula; a file for each family of them."""

from api.stats import cohorts, lives, renewals, revenue
from api.stats.asking import stats

__all__ = ["cohorts", "lives", "renewals", "revenue", "stats"]
