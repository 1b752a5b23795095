"""The office itself: records, registers, routing, dossiers, access and the log.

Read in this order: `rules` (pure words and laws of the office) - `models` -
`store` (sealed bytes) - `audit` (who did what) - `access` (who may) -
`registration`, `attachments`, `routing`, `dossiers`, `retention` (the acts) -
`views`.
Nothing here imports `ingest`, `search` or `config`.
"""
