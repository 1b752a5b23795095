"""What stays and for how long: `dossiers` and `retention`."""
