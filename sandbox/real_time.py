"""The machine's own time, for what happens by itself a moment later.

The project's clock can be moved. What is measured here neither hurries nor waits then, so that a
test need not move the clock to see it happen.
"""

import time


def seconds() -> float:
    """Seconds since the epoch; kept in the file, since a restart must not forget a wait."""
    return time.time()
