"""The offline checker of the log: one file that an auditor takes home (see `verify`)."""
