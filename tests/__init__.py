"""The suite. No garbage is looked for before all of it is loaded, see `tests/conftest.py`."""

import gc

gc.disable()
