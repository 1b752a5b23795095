"""Units, people, their roles over time, and the tokens of service accounts.

Role, clearance and scope rows are append-only: they carry since and until, and a
person's rights on a past day can be told from them.
"""

import hashlib
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.hashers import check_password
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from archive.rules.roles import Role

ROLE_CHOICES = [(role.value, role.label) for role in Role]


class Unit(models.Model):
    """A unit of the office; `path` is "/1/5/23/", own id last, written by `archive.units` only."""

    code = models.CharField(max_length=30, unique=True)
    name = models.CharField(max_length=200)
    parent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children", db_index=False)
    # Unique: the subtree of a unit is one range of paths (0.12 ms for 80 units).
    path = models.CharField(max_length=200, unique=True)
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ("path",)

    def __str__(self) -> str:
        return self.name


class SignsInBy(models.TextChoices):
    """Who keeps the proof of who a person is."""

    PASSWORD = "password", _("a password of this system")
    LDAP = "ldap", _("the office's directory (LDAP)")
    OIDC = "oidc", _("the office's sign-in server (OpenID Connect)")


class People(BaseUserManager["Person"]):
    """Finds people by the name they sign in with."""


class Person(AbstractBaseUser):
    """Somebody (or a service account) who acts. There is no superuser and no bypass."""

    username = models.CharField(_("user name"), max_length=60, unique=True)
    full_name = models.CharField(max_length=120)
    title = models.CharField(max_length=120, blank=True)
    unit = models.ForeignKey(Unit, models.PROTECT, related_name="people")
    is_active = models.BooleanField(default=True)
    is_service = models.BooleanField(default=False)
    has_first_password = models.BooleanField(default=False)  # one that somebody else knows: to be changed at sign-in
    signs_in_by = models.CharField(max_length=8, choices=SignsInBy.choices, default=SignsInBy.PASSWORD)
    outside_id = models.CharField(max_length=500, blank=True)  # their lasting name there, kept at the first sign-in

    objects: ClassVar[People] = People()

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["full_name"]

    class Meta:
        constraints = [
            # Unique: one account for one person of the office's directory.
            models.UniqueConstraint(
                fields=["outside_id"], condition=~Q(outside_id=""), name="person_one_account_of_an_outside_name"
            ),
        ]

    def __str__(self) -> str:
        return self.full_name

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Return what a session keeps and every request compares: it falls with a new password or another way to sign in."""
        kept = str(super()._get_session_auth_hash(secret))  # type: ignore[misc] # Django's hook of both public methods
        if self.signs_in_by == SignsInBy.PASSWORD:
            return kept
        return hashlib.sha256(f"{kept} {self.signs_in_by} {self.outside_id}".encode()).hexdigest()

    def check_password(self, raw_password: str | None) -> bool:
        """Return whether this is the password. Writes nothing, unlike Django's own: `archive.identity` hashes it anew."""
        return check_password(raw_password, self.password)

    def get_full_name(self) -> str:
        """Return the name that screens show."""
        return self.full_name


class PersonRole(models.Model):
    """A role given to a person for a time (minutes of the clock are compared, never swept)."""

    person = models.ForeignKey(Person, models.PROTECT, related_name="role_rows")
    role = models.SmallIntegerField(choices=ROLE_CHOICES)
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)
    basis = models.CharField(max_length=200, blank=True)  # number and date of the decision
    # By delegation: in whose place, who holds the post in their own right; never handed on.
    instead_of = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    granted_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+", db_index=False)
    ended_by = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    end_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(person=F("granted_by")), name="role_two_people"),
            models.CheckConstraint(
                condition=Q(instead_of=None) | (Q(until__isnull=False) & ~Q(person=F("instead_of"))),
                name="role_delegation_ends",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person}: {self.get_role_display()}"


class ServiceToken(models.Model):
    """A token of a service account: only its digest is kept."""

    person = models.ForeignKey(Person, models.PROTECT, related_name="tokens", db_index=False)
    name = models.CharField(max_length=80)
    digest = models.CharField(max_length=64, unique=True)
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name
