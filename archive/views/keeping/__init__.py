"""What stays and for how long: `dossiers`, `retention`, and the `plan` both rest on."""
