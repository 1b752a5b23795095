"""`make bench`: speed, accuracy and memory, each against a peer or a limit in the same run.

Prints a table and writes the same figures as JSON into `bench-results/`. Figures of one
run belong together; nothing here is a test and nothing here is timed by a test.
"""
