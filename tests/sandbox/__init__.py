"""The sandbox provider, tested through the real `stripe` library against the real process."""
