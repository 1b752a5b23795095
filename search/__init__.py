"""The way out: find a record by its words, number, date or body.

Read in this order: `text` (one normal form) - `nodes`, `query`, `leaves`, `fields`,
`dates` (what was asked) - `chips` (what was understood) - `entry` (what is indexed) -
`engine` (the port) - `engines` (its drivers) - `marking` (what to mark where) -
`follow` (keeps the index behind the log, never wrong) - `finding` - `views`.
Nothing here imports `ingest`.
"""
