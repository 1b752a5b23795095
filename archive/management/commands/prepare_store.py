"""`manage.py prepare_store`: make the bucket, or the bucket of each level, that an office on an S3 server lacks.

Run after `prepare_database` and before the first start. What is there is left as it is; may be repeated. A new bucket
can lock objects where the server knows how. On local files there is nothing to make.
"""

from typing import Any

from django.core.checks import Tags
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils.translation import gettext as _

from archive import audit
from archive.management.answering import acting
from archive.models import Person
from archive.rules.errors import Refusal
from archive.rules.roles import Action
from archive.stores import chosen


class Command(BaseCommand):
    """Make what is missing."""

    help = "Make the buckets that this office lacks on its S3 server; what is there is left as it is."

    requires_system_checks = [Tags.security]

    @acting("prepare_store")
    def handle(self, **_options: Any) -> None:
        if not chosen.account()[0]:
            self.stdout.write(_("Sealed files lie in a folder of this machine: nothing is to be made."))
            return
        try:
            with transaction.atomic():
                made = chosen.prepare()
                if made and Person.objects.exists():  # an empty database stays empty: a restore may go into it
                    audit.write(Action.STORE_PREPARE, actor=None, details={"made": made})
        except Refusal as refusal:
            raise CommandError(f"{refusal.code}: {refusal}") from refusal
        self.stdout.write(_("Made: %(names)s.") % {"names": ", ".join(made)} if made else _("Every bucket is there."))
