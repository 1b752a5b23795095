"""The door for a web server: whichever loads this is looked at first (`config.door`)."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
_served = get_wsgi_application()

from config import door  # noqa: E402 - Django is set up first

application = door.opened(_served)
