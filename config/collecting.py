"""How garbage is looked for in web processes.

What a program has loaded is never garbage, and looking through it took 25 ms of a page now and then. What a page makes
is let go by itself but for few circles, so that a look after every 700 things, as Python has it, finds next to nothing:
it took 0.9 ms of a page of hits in the mean and up to 18 of one; with a look after 20,000 it is 0.1, and up to 6.
"""

import gc
from typing import Final

SELDOM: Final = (20_000, 10, 50)  # things made before the youngest are looked at; looks before older ones are


def put_aside() -> None:
    """Put what is loaded out of the collector's reach; before a fork it stays shared, too."""
    gc.collect()
    gc.freeze()


def look_seldom() -> None:
    """Look for garbage as seldom as a process needs that makes pages and no large things in circles."""
    gc.set_threshold(*SELDOM)
