"""The way out: find a record by its words, number, date or body.

Read in this order: `text` (one normal form) - `nodes`, `query`, `leaves`, `fields`,
`dates` (what was asked) - `writing`, `chips`, `building` (what was understood, piece by
piece or as a form) - `ranking` (what comes first) - `syllables`, `synonyms`, `widening`
(what else is meant by it) - `entry` (what is indexed) -
`engine` (the port) - `engines` (its drivers) - `marking` (what to mark where) -
`follow` (keeps the index behind the log, never wrong) - `lagging` (what it
has not followed yet) - `spelling`, `correcting` (what may have been meant) - `naming` (by which name) - `finding` - `offering` - `views`.
Nothing here imports `ingest`.
"""
