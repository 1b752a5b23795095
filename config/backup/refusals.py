"""What a backup, a restore, a drill or a scrub answers when it cannot, each with the way out (BKP-0xx)."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from archive.rules.errors import Refusal

MANIFEST: Final = _("the manifest")
DATABASE: Final = _("the database")
LISTING: Final = _("the list of stored files")
LOG: Final = _("the log in the database")
RECOVERED: Final = _("the recovered database")


class BackupRefusal(Refusal):
    """Base of this tree."""


class NoBackup(BackupRefusal):
    """BKP-001: nothing complete lies there."""

    code = "BKP-001"
    message = _("No complete backup lies in %(folder)s. Name the folder that `manage.py backup` was given.")


class Unsigned(BackupRefusal):
    """BKP-002: what was read was not signed by the key it should be."""

    code = "BKP-002"
    message = _(
        "%(name)s is not signed by this key: it was changed, or the key is another office's. "
        "Use another backup, or name the right public key."
    )


class Damaged(BackupRefusal):
    """BKP-003: bytes are not what the manifest says."""

    code = "BKP-003"
    message = _(
        "In the backup %(name)s %(what)s is not what was signed. Use another copy of this backup, or another backup."
    )


class ObjectsMissing(BackupRefusal):
    """BKP-004: objects that the database names are missing or damaged."""

    code = "BKP-004"
    message = _(
        "%(count)s stored files are missing or damaged: %(addresses)s. "
        "Run `manage.py scrub --all --from FOLDER` with an older backup, then try again."
    )


class LogForked(BackupRefusal):
    """BKP-005: two logs that should be one do not agree."""

    code = "BKP-005"
    message = _(
        "The log of %(name)s is not the beginning of the log it is compared with (%(size)s entries). "
        "Somebody changed one of them: change nothing more, and tell the auditor before going on."
    )


class NotEmpty(BackupRefusal):
    """BKP-006: a restore never writes over anything."""

    code = "BKP-006"
    message = _(
        "This installation is not empty (%(what)s). Restore into an empty VANKHO_HOME, an empty database and an "
        "empty bucket."
    )


USED_DATABASE: Final = _("its database holds people or a log")
USED_STORE: Final = _("its store holds files")
USED_VAULT: Final = _("it has a key vault")
USED_LOG: Final = _("it has published heads of a log: move its folder log elsewhere and name it with --heads")


class NoVaultCopy(BackupRefusal):
    """BKP-007: without the vault's copy no content can be read."""

    code = "BKP-007"
    message = _(
        "No usable copy of the key vault lies in %(folder)s. Bring the newest copy from its custodian: without it "
        "the stored files cannot be read, so nothing was restored."
    )


class VaultTooOld(BackupRefusal):
    """BKP-008: the vault copy does not know the newest objects of the backup."""

    code = "BKP-008"
    message = _(
        "The newest vault copy in %(folder)s was taken before this backup. Bring a newer copy from its custodian, "
        "or restore an older backup."
    )


class CustodianMissing(BackupRefusal):
    """BKP-009: level keys or key files are not at hand."""

    code = "BKP-009"
    message = _(
        "The vault copy does not open here: %(reason)s Bring the custodians' key files (VANKHO_SITE_KEY_FILES) and "
        "their copy of the level keys (--keys FOLDER). Nothing was restored."
    )


class SchemaDiffers(BackupRefusal):
    """BKP-010: backup and program do not know the same form of the database."""

    code = "BKP-010"
    message = _(
        "The form of the database differs (%(difference)s). Restore with the program that made the backup (%(program)s) "
        "or a newer one, into a database without tables; it is brought forward afterwards."
    )


class OtherRestore(BackupRefusal):
    """BKP-011: an unfinished restore of another backup lies here."""

    code = "BKP-011"
    message = _(
        "An unfinished restore of %(name)s lies here. Finish it with the same folder, or empty the installation and "
        "begin again."
    )


class SamePlace(BackupRefusal):
    """BKP-012: vault, keys and main backup must travel apart."""

    code = "BKP-012"
    message = _(
        "%(folder)s lies inside another place of the backup or of the installation. Backup, vault copy and level keys "
        "must be apart, because who has all of them can read everything. Name another medium."
    )


class Busy(BackupRefusal):
    """BKP-013: another backup writes to the same folder."""

    code = "BKP-013"
    message = _("Another backup is writing to %(folder)s. Wait for its end.")


class VaultIncomplete(BackupRefusal):
    """BKP-014: the live vault lacks keys of objects that are still named."""

    code = "BKP-014"
    message = _(
        "The key vault lacks the keys of %(count)s stored files that the database names: %(addresses)s. The older "
        "copies in %(folder)s were kept: have their custodian compare them before anything is lost."
    )


class OtherKind(BackupRefusal):
    """BKP-015: a snapshot of one database is not loaded into the other."""

    code = "BKP-015"
    message = _(
        "This backup holds a database of %(kind)s, but this installation uses %(here)s. Restore it into an "
        "installation of the same kind; `manage.py move_database` moves it from SQLite to PostgreSQL afterwards."
    )


class OtherOffice(BackupRefusal):
    """BKP-016: the folder belongs to another installation, or to this one before its keys were lost."""

    code = "BKP-016"
    message = _(
        "The backups in %(folder)s were signed by another installation. Name a folder of this installation's own."
    )


class NoPlaceToDrill(BackupRefusal):
    """BKP-017: a drill needs a database that it may fill and empty."""

    code = "BKP-017"
    message = _(
        "A drill of PostgreSQL needs an empty database of its own. Create one that nobody uses and name it: "
        "--database postgresql://user@host/NAME"
    )


class NotThatMoment(BackupRefusal):
    """BKP-018: the database cannot be one that was recovered to this moment."""

    code = "BKP-018"
    message = _(
        "This database was not recovered to %(moment)s: its newest entry was written at %(newest)s, and now it is "
        "%(now)s. Name the moment that the server was recovered to, and look whether VANKHO_DATABASE_URL leads to that server."
    )


class StillRecovering(BackupRefusal):
    """BKP-020: the database server has not come to the moment yet."""

    code = "BKP-020"
    message = _(
        "The database server still reads its log up to the moment that it was told. Wait until it takes writes (its own log "
        "says so), then run the same command again. Nothing was changed."
    )


class LevelKeysMissing(BackupRefusal):
    """BKP-021: the medium of the level keys does not serve the vault copy."""

    code = "BKP-021"
    message = _(
        "In %(folder)s these level keys are missing, and the vault copy %(copy)s opens with no others: %(names)s. Run "
        "`manage.py backup` with --keys once more, or bring the custodian's folder that was filled with this copy."
    )


class KeysChange(BackupRefusal):
    """BKP-022: level keys are being changed while they were to be copied."""

    code = "BKP-022"
    message = _(
        "Keys are being changed (`manage.py rotate_keys`), so vault and level keys cannot be copied now. Wait for its end, "
        "then run the same command again: the stored files that were copied are not copied once more."
    )


class SealedAnew(BackupRefusal):
    """BKP-024: files were sealed anew between the snapshot and the copy of the vault."""

    code = "BKP-024"
    message = _(
        "Files were sealed anew (`manage.py reseal_files`) while the backup ran, so this one would lack them. Run the same "
        "command again: the stored files that were copied are not copied once more. If it is refused again, run "
        "`manage.py reseal_files` alone: it ends what is not done, or says which dispatch stands in the way."
    )


class KeyDamaged(BackupRefusal):
    """BKP-023: the file of the key that signs backups holds no key."""

    code = "BKP-023"
    message = _(
        "The key file %(path)s is not a key: it must hold an Ed25519 key in PEM. Nothing was backed up. Put it back from the copy "
        "of the keys. If there is none, move the file aside: the next backup makes a new one, whose public half the custodians "
        "need again."
    )


class VaultWentBack(BackupRefusal):
    """BKP-019: keys are missing whose bytes nobody destroyed."""

    code = "BKP-019"
    message = _(
        "The key vault lacks the keys of %(count)s stored files whose bytes are there: %(addresses)s. Only the main "
        "database goes back: connect the newest vault. If a machine died just while it destroyed one of them, remove its "
        "bytes too and run the same command again."
    )
