"""The second proof of a person: a sealed key for codes, and one-time recovery codes as digests."""

from django.db import models

from archive.models.people import Person


class SecondFactor(models.Model):
    """The enrolled authenticator of a person; none, or one."""

    person = models.OneToOneField(Person, models.PROTECT, primary_key=True, related_name="second_factor")
    sealed = models.BinaryField()  # nonce (12) and sealed key; `archive.second_factor` alone opens it
    last_step = models.BigIntegerField()  # no code of this step or an earlier one counts again
    recovery = models.JSONField(default=list)  # SHA-256 of each code not used yet (120 random bits)
    enrolled_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.person)
