"""Who is cleared (`clearances`), and what was done: the `log`, its files (`log_export`), its other pages (`oversight`, `seen`, `bars`)."""
