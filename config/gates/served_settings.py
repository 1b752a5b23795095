"""The settings of an office that judges ask (never used outside `config.gates`): a judge is not shut out of what it asks about.

With ten failures for a name and an address, sqlmap and wapiti would meet the lock and nothing behind it: 23 of the 32
questions to the sign-in page were answered by the lock alone. Nor is who has signed in asked for the password again.
"""

from config.settings import *  # noqa: F403
from config.settings import MIDDLEWARE

AXES_FAILURE_LIMIT = 1_000_000
MIDDLEWARE = [*MIDDLEWARE, "config.gates.proved.StaysProved"]
