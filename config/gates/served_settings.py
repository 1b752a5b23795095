"""The settings of an office that judges ask (never used outside `config.gates`): a judge who guesses is not shut out.

With ten failures for a name and an address, sqlmap and wapiti would meet the lock and nothing behind it: 23 of the 32
questions to the sign-in page were answered by the lock alone.
"""

from config.settings import *  # noqa: F403

AXES_FAILURE_LIMIT = 1_000_000
