"""Every kind of row lies under digests, or says here why it does not."""

from django.apps import apps

from archive.watched import CHANGING, WATCHED, WRITTEN_ONCE
from config.roles import RIGHTS

OURS = ("archive", "ingest", "search", "config")
APART = {
    # The log itself: its bytes are hashed and signed, and `vouching.faults` compares its columns with them.
    "archive.AuditEntry": "the log",
    "archive.AuditLeaf": "the log: places are the leaves of the tree",
    "archive.AuditDetail": "the log: each entry carries a salted digest of its details",
    "archive.AuditShown": "the log: each row is named in its entry's details",
    "archive.AuditRow": "the digests themselves: each entry commits to those kept with it",
    "archive.AuditPending": "a queue of entries that await their place; one without either is told",
    # Worked out from watched rows, and worked out anew each night.
    "archive.Access": "need-to-know follows from steps, openings and units: `archive.knowing` works it out anew",
    "archive.Shelf": "follows from what lies in dossiers: `archive.knowing` works out anew whose dossiers each record lies in",
    "archive.ShelfPart": "the same",
    "archive.RegisterCounter": "follows from the numbers of its book: `archive.counters` counts them anew",
    "archive.Tally": "added up from the log; can be dropped and counted anew",
    "archive.FirstAct": "added up from the log; can be dropped and counted anew",
    "archive.TallyPlace": "how far the log has been added up",
    # What moves outside acts, or carries no right and no record.
    "archive.OpenSession": "moves with every request and ends by itself; its key is kept as a digest",
    "archive.KeptLogFilter": "words of an auditor for themself; opens nothing",
    "archive.DigitalObject": "under the manifest of its dispatch (`archive.manifests`); bytes, level and key are bound into the seal",
    "archive.Misplaced": "a list of work: where bytes still lie, not whose they are",
    "archive.Page": "under the manifest of its dispatch (`archive.manifests`)",
    "ingest.Batch": "files handed in together; what became of each stands in the log and in its record",
    "ingest.Scan": "the queue: moves with every stage and lease; every outcome has its entry, what is filed is a record",
    "search.SavedSearch": "words of a person; runs under the rights of whoever asks it",
    "search.Alert": "how far somebody has looked",
    "search.Asking": "a question of today; goes after a day",
}


def labels(models):
    return {model._meta.label for model in models}


def test_every_kind_of_row_is_watched_or_says_why_not():
    ours = [model for name in OURS for model in apps.get_app_config(name).get_models(include_auto_created=True)]
    watched = labels(WATCHED.values())
    assert watched & APART.keys() == set()
    assert labels(ours) - watched == APART.keys()
    assert all(APART.values())


def test_what_acts_change_are_columns_that_there_are():
    for name, acts in CHANGING.items():
        known = {field.attname for field in WATCHED[name]._meta.concrete_fields}
        assert {column for columns in acts.values() for column in columns} <= known, name


def test_the_running_role_may_lock_what_acts_change_and_changes_nothing_that_is_written_once():
    rights = {
        name: RIGHTS.get(model._meta.db_table, "SELECT, INSERT, UPDATE, DELETE") for name, model in WATCHED.items()
    }
    assert {name for name, right in rights.items() if "UPDATE" not in right} == WRITTEN_ONCE
    assert not any(CHANGING.get(name) for name in WRITTEN_ONCE)
