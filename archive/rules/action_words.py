"""What an act is called on the auditor's screen."""

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from archive.rules.roles import Action

WORDS: Final[dict[str, Promise]] = {
    Action.SIGN_IN: _("Signed in"),
    Action.SIGN_IN_FAILED: _("Failed to sign in"),
    Action.SIGN_OUT: _("Signed out"),
    Action.START: _("System started"),
    Action.STOP: _("System stopped"),
    Action.SYSTEM_READ: _("Looked at the machine's status"),
    Action.BACKUP: _("Backup made"),
    Action.RESTORE: _("Restored from a backup"),
    Action.RESTORE_SEEN: _("Acknowledged a restore"),
    Action.DRILL: _("Restore drilled"),
    Action.SCRUB: _("Stored files checked"),
    Action.REPAIR: _("Stored file repaired from a backup"),
    Action.INDEX_CHECK: _("Search index compared with the registers"),
    Action.STORE_MOVE: _("Stored files moved to another place"),
    Action.DATABASE_MOVE: _("Database moved to another server"),
    Action.SCAN_UPLOAD: _("Handed a file in"),
    Action.SCAN_READ: _("Looked at the intake desk"),
    Action.SCAN_RETRY: _("Had a file read again"),
    Action.SCAN_OUTCOME: _("Reading of a file ended"),
    Action.SCAN_DISMISS: _("Put a file aside"),
    Action.RECORD_CAPTURE: _("Draft made"),
    Action.RECORD_REGISTER: _("Registered"),
    Action.RECORD_CORRECT: _("Corrected a field"),
    Action.RECORD_RETURN: _("Returned to the sender"),
    Action.RECORD_READ: _("Opened the dispatch"),
    Action.RECORD_LIST: _("Looked at a list of dispatches"),
    Action.RECORD_PAGE: _("Looked at a page"),
    Action.RECORD_TEXT: _("Read the text of a page"),
    Action.RECORD_ORIGINAL: _("Took the original out"),
    Action.RECORD_PRINT: _("Printed"),
    Action.RECORD_WHY: _("Asked who may see it"),
    Action.RECORD_LEVEL: _("Changed the secrecy level"),
    Action.NUMBER_VOID: _("Voided a number"),
    Action.REGISTER_READ: _("Looked at a register"),
    Action.REGISTER_PRINT: _("Printed a register"),
    Action.REGISTER_CONFIRM: _("Confirmed the last number on paper"),
    Action.STEP_FORWARD: _("Forwarded"),
    Action.STEP_DIRECT: _("Gave direction"),
    Action.STEP_RECEIVE: _("Took it in hand"),
    Action.STEP_ANSWER: _("Answered"),
    Action.STEP_RETURN: _("Sent back"),
    Action.STEP_APPROVE: _("Approved"),
    Action.STEP_END: _("Ended a step"),
    Action.WORK_READ: _("Looked at a work list"),
    Action.DOSSIER_READ: _("Opened a dossier"),
    Action.DOSSIER_OPEN: _("Began a dossier"),
    Action.DOSSIER_FILE: _("Filed into a dossier"),
    Action.DOSSIER_CLOSE: _("Closed a dossier"),
    Action.DUE_READ: _("Looked at the due list"),
    Action.PLAN_READ: _("Looked at the file plan"),
    Action.PLAN_CHANGE: _("Changed the file plan"),
    Action.HOLD_PLACE: _("Placed a hold"),
    Action.HOLD_LIFT: _("Lifted a hold"),
    Action.HOLD_READ: _("Looked at holds"),
    Action.SEARCH_RUN: _("Searched"),
    Action.SEARCH_SAVE: _("Kept a query"),
    Action.SEARCH_SHARE: _("Shared a query, or ended it"),
    Action.SEARCH_EXPORT: _("Exported what was found"),
    Action.LOG_READ: _("Read the log"),
    Action.LOG_EXPORT: _("Exported the log"),
    Action.GRANT: _("Opened a dispatch to a person"),
    Action.GRANT_END: _("Ended such an opening"),
    Action.CLEARANCE_GIVE: _("Gave a clearance"),
    Action.CLEARANCE_REVOKE: _("Revoked a clearance"),
    Action.CLEARANCE_READ: _("Looked at clearances"),
    Action.PERSON_CHANGE: _("Changed a person's data"),
    Action.TOKEN_GIVE: _("Gave a service token"),
    Action.UNIT_CHANGE: _("Changed the units"),
}


def word(action: str) -> str:
    """Return the words of an act; a refused address has only its name."""
    return str(WORDS.get(action, action))
