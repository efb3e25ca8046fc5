"""What a till does without a network, see docs/offline.md."""
