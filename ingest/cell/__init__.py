"""The inside of the cell: the fork server, its children, and the layers that hold them.

Read in this order: `wire` (frames on a pipe) - `server` (forks one child per file) -
`child` (a child's life) - `guard` (namespaces, user, Landlock, limits) - `syscalls`
(the system-call filter) - `attacks` (what a captured parser would try). Everything here
runs in a process that never held a key or a database handle; only `ingest.sandbox`
talks to it. Nothing here imports Django's settings or models.
"""
