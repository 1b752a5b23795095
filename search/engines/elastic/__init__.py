"""The driver for an Elasticsearch server: for offices with many people and several machines.

Read in this order: `server` (the one host that is called, and what its silence means) -
`mapping` (what is kept of an entry) - `compiling` (query tree to query objects) -
`generations` (names, aliases, position, the right to write) - `writing` - `looking`,
`listing`, `neighbours` (what one reader asks) - `driver`. Nothing here reads the database.
"""
