"""A year of trade: a chain sells, hands over, lapses and closes, the same for the same seed."""

from bench.trade.play import Trade, play

__all__ = ["Trade", "play"]
