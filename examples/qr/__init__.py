"""What a phone makes its codes with: docs/qr.md in Python and in JavaScript."""
