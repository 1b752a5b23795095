r"""Every index of our tables and the query it serves, written onto the index itself on PostgreSQL (COMMENT ON INDEX).

`\di+` or `pg_description` then answers "may this one go?" where the question is asked: on
the server. An index is found by its columns, because Django gives names of its own. A test
on a real server demands a line for each index and an index for each line; an index nobody
can name a query for is dropped (`0008_lean_indexes`). SQLite keeps no comments: there the
models' own remarks and this page must do.
"""

from typing import Final

from django.db import connection

KEY: Final = "one row by its primary key"
PREFIX: Final = "prefixes of the column, whatever the collation; made by Django beside its unique index"
# Table -> columns as the server names them -> the query.
QUERIES: Final[dict[str, dict[str, str]]] = {
    "archive_access": {
        "record_id, principal, source": "may(): is this record, or this page of records, open to this reader; Why?",
        "principal, record_id, level, marking, since, until": "lists, counts and facets of a narrow reader, index only",
        "principal, shelf, level, record_id": "what a reader knows in no dossier: not filed yet",
    },
    "archive_attachment": {
        "record_id, ordinal": "the files of a record in order; no place twice",
        "original_id": "the place of a sealed file in its record; one owner each",
        "pack_id": "the file that a pack of pages belongs to; one owner each",
    },
    "archive_auditentry": {
        "object_type, object_id, object_seq": "the chain of one object: its last leaf, under the act's lock; no fork of it",
        "ts": "the auditor's timeline",
        "actor_id, ts, outcome, action, record_id, level": "what did this person see and do; what a unit did in a month, index only",
        "actor_id, action, ts": "what did this person print: the log by person and act",
        "record_id, ts, actor_id, action, outcome": "who saw this record, index only; holds no entry about none",
        "object_id, ts": "who was refused this key while no record was known under it",
        "action, ts": "the auditor's filter by kind of act",
        "outcome, ts": "who was refused; holds no act that was done",
        "outcome, action, ts": "the log by kind of act, refused or failed; holds no act that was done",
        "outcome, actor_id, ts": "what this person was refused; holds no act that was done",
        "level, ts": "what was done with papers of one level; holds no unclassified entry",
        "level, action, ts": "the log by level and kind of act; holds no unclassified entry",
        "level, actor_id, ts": "what one person did with papers of one level; holds no unclassified entry",
    },
    "archive_auditleaf": {"entry_id": "the place of an entry; no entry has two"},
    "archive_auditrow": {
        "entry_id": "the digests that an entry commits to",
        "kind, row_id, id": "the last digest of one row",
    },
    "archive_auditshown": {
        "entry_id": "the dispatches that a page of hits showed",
        "record_id, ts, actor_id": "who saw this record on a page of hits, index only",
        "actor_id, ts, record_id, level": "what did this person see on pages of hits, index only",
    },
    "archive_clearance": {"person_id": "what may this person see, now and on a past day"},
    "archive_clearancemark": {"clearance_id, mark_id": "the marks a clearance holds; none twice"},
    "archive_digitalobject": {"record_id": "the sealed files of a record"},
    "archive_dossier": {
        "key": "a dossier by the name in its address",
        "unit_id": "the dossiers of the units in a reader's scope",
        "year, code": "the list of dossiers, newest first, a page at a time",
    },
    "archive_dossieritem": {
        "record_id": "the dossiers a record lies in",
        "dossier_id, record_id": "the contents of a dossier; no record twice in it",
        "dossier_id, doc_ordinal": "the contents in their order; the last ordinal",
    },
    "archive_firstact": {
        "person_id, action, level": "has this person done this before; once each",
        "ts": "what was done for the first time this week",
    },
    "archive_copy": {
        "record_id, number": "the copies of a record, newest first; no number twice",
        "record_id, holder_id, day": "the number under which this person looks at this record today",
        "holder_id, made_at": "what this person printed or took out within the hour",
    },
    "archive_grant": {"record_id": "the grants on a record"},
    "archive_holditem": {
        "dossier_id": "is this dossier held",
        "record_id": "is this record held",
        "hold_id, dossier_id": "what a hold covers; no dossier twice",
        "hold_id, record_id": "no record twice in a hold",
    },
    "archive_holiday": {"day": "is this a working day; no day twice but for those taken back"},
    "archive_levelchange": {
        "record_id, id": "the life of a record's level; its newest decision",
        "protected_until": "protection that ends soon, or has ended",
        "review_on": "levels whose review is due",
        "id": "keys that a fault left above the level of their record",
    },
    "archive_levelproposal": {"record_id, to_level": "the proposals that wait for a record; never two to one level"},
    "archive_levelnotice": {
        "change_id": "whom a change is told to",
        "due_on, id": "holders still to be told, soonest first",
    },
    "archive_mark": {"name": "a compartment mark by its name"},
    "archive_markgroup": {"name": "a group of marks by its name"},
    "archive_markingmark": {"marking_id, mark_id": "the marks of a combination; none twice"},
    "archive_keptlogfilter": {"person_id, name": "the filters of the log that an auditor keeps; one of a name"},
    "archive_marking": {"name": "a combination of marks by its name"},
    "archive_opensession": {
        "person_id": "the open sessions of a person",
        "expire_date": "sessions whose time is over, dropped when one is opened",
    },
    "archive_page": {"record_id, number": "the pages of a record in order; one page of it"},
    "archive_paperplace": {"record_id, id": "where the paper of a record lies now, and has lain"},
    "archive_papercheck": {"register_id, year": "is this register closed until its paper is looked at"},
    "archive_person": {
        "unit_id": "the people of a unit: who can be given a step, whose steps are mine to see",
        "username": "signing in",
        "outside_id": "one account for one person of the office's directory",
    },
    "archive_personrole": {"person_id": "the roles of a person, now and on a past day"},
    "archive_protectionperiod": {"level, valid_from": "the period in force on a day; no version twice"},
    "archive_record": {
        "key": "a record by the name in its address",
        "reply_to_id": "the replies to a dispatch",
        "unit_id": "what a unit's desk has registered and not handed on",
        "state, id": "the intake desk: drafts, oldest first",
        "issued_date, id": "lists by date",
        "code_notation, code_number": "the duplicate warning: same number and symbol",
        "urgency, registered_at": "what the desk has to submit, urgent ones first",
        "registered_at": "the newest dispatches that may be named as a reply",
    },
    "archive_recordclass": {"year, code": "the file plan of a year in order; no line twice"},
    "archive_register": {"unit_id, kind, name": "the registers of a unit; none twice"},
    "archive_registercounter": {"register_id, year": "the next number: the row that is locked"},
    "archive_registernumber": {
        "record_id": "the number of a record; no record has two",
        "register_id, year, number": "the pages of a book; no number twice",
        "register_id, allotted_at": "the numbers of the last days for a desk's chart; a book's page of chosen days",
    },
    "archive_retentionrule": {"code, valid_from": "the rule in force on a day; no version twice"},
    "archive_servicetoken": {"digest": "the account of a token"},
    "archive_shelf": {"name": "the shelf of a combination of dossiers' units; none twice"},
    "archive_shelfpart": {"shelf_id, unit_id": "the shelves that a reader does not know; no unit twice"},
    "archive_step": {
        "closed_by_id, closed_at": "my newest direction, while it may be taken back",
        "from_person_id": "what came back to me",
        "answered_at": "the answers that wait for a decision, the longest waiting first",
        "created_at": "what waits for a direction, few among all open steps",
        "due_on": "the open steps a desk shows as due this week, soonest first",
        "from_person_id, due_on": "what I gave to others and is not finished",
        "parent_id": "the answers to a step",
        "to_person_id": "what a person ever had in hand",
        "to_unit_id": "what a unit ever had in hand",
        "to_person_id, due_on": "my open steps, soonest due first",
        "to_unit_id, due_on": "my unit's open steps, soonest due first",
        'record_id, "order"': "the thread of a record in order; the next step's place",
    },
    "archive_tally": {
        "day, person_id": "one row for a person and day",
        "day, person_id, acts, refused, handled": "what was done on each day, and what is usual for a person",
        "is_much, day": "the days on which somebody handled much or was refused often, and no others",
    },
    "archive_unit": {
        "code": "a unit by its code",
        "path": "the subtree of a unit is one range of paths",
    },
    "archive_unitscope": {"person_id": "the units a person may know of"},
    "ingest_batch": {
        "actor_id": "what I handed in, whatever my scope",
        "unit_id, created_at": "the intake desk: the newest batches of its units",
    },
    "ingest_scan": {
        "original_id": "the scan of a sealed original: leftovers, one owner each",
        "pack_id": "the scan of a sealed pack: leftovers, one owner each",
        "record_id": "the scan of a draft; no draft has two",
        "not_before, created_at": "the worker's claim: the oldest waiting scan whose time has come",
        "sha256": "the same bytes handed in twice",
        "joins_id, created_at": "the files handed over for a record, those still to join it above all",
        'batch_id, "order"': "the files of a batch in order",
    },
    "search_alert": {
        "person_id": "the alerts of a person",
        "search_id": "the alerts on a kept search, when it goes",
        "person_id, search_id": "is this person told of this search; never twice",
    },
    "search_asking": {
        "person_id": "the askings of a person, when the account goes",
        "asked_at": "forgetting what is older than a day",
    },
    "search_savedsearch": {
        "person_id": "what I kept",
        "person_id, name": "no name twice for a person",
        "shared_with, level": "what my role shares",
    },
}
_INDEXES: Final = """
SELECT t.relname, i.relname, x.indisprimary, obj_description(i.oid, 'pg_class'), (
    SELECT string_agg(pg_get_indexdef(x.indexrelid, n, true), ', ' ORDER BY n) FROM generate_series(1, x.indnkeyatts) n)
FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
WHERE t.relnamespace = current_schema()::regnamespace AND t.relname ~ '^(archive|ingest|search)_' ORDER BY 1, 2
"""


def indexes() -> list[tuple[str, str, str, str | None]]:
    """Return every index of our tables: table, name, what stands here about it ("" for nothing), what the server says."""
    with connection.cursor() as cursor:
        cursor.execute(_INDEXES)
        return [
            (table, name, _said(table, name, columns, is_primary=is_primary), kept)
            for table, name, is_primary, kept, columns in cursor.fetchall()
        ]


def _said(table: str, name: str, columns: str, *, is_primary: bool) -> str:
    if name.endswith("_like"):
        return PREFIX
    return QUERIES.get(table, {}).get(columns, KEY if is_primary else "")


def write() -> None:
    """Write the comments, as the owner of the tables; nothing on SQLite."""
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        for _table, name, said, kept in indexes():
            if said and said != kept:
                # nosemgrep: raw-sql - names of our own tables
                cursor.execute(f'COMMENT ON INDEX "{name}" IS %s', [said])
