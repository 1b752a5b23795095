"""The way out: find a record by its words, number, date or body.

Read in this order: `text` (one normal form) - `query` (what was asked) -
`entry` (what is indexed) - `engine` (the port) - `engines` (its drivers) -
`follow` (keeps the index behind the log, never wrong) - `views`.
Nothing here imports `ingest`.
"""
