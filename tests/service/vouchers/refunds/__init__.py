"""Cups that come back for money, and money that banks take back."""
