"""Imported before all else by what somebody waits for: it is there sooner (docs/adr/0049).

Nothing is garbage while modules are loaded, but Python would look for it again and again, through
all that is there. `loaded` goes on as usual, and leaves out what was loaded.
"""

import gc

gc.disable()


def loaded() -> None:
    """Look for garbage from now on: among what is made from now on."""
    gc.freeze()
    gc.enable()
