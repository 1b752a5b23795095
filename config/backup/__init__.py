"""Backup and restore, with no stop and no key of the content (SECURITY.md, section 6).

Read in this order: `refusals` (what can go wrong) - `durable` (files that survive a power
cut) - `signing` - `manifest` (what a backup is: complete when its manifest is there) -
`snapshot` (the database at one moment) - `tables` (PostgreSQL's form of it) - `objects` -
`vaulting` (key vault, to another medium) - `destroyed`, `heads` - `making` - `checking` -
`marker`, `restoring` - `examining`, `clearing`, `drilling` - `scrubbing`; `words` is what the commands share.
"""
