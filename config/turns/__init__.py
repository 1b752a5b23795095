"""SQLite with turns: writers of one machine queue for the database one behind the other (see `base`)."""
