"""One dispatch: its page and files (`records`), `copying` on paper, who may know of it (`knowing`), its level (`leveling`)."""
