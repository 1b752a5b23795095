"""The screens of the office: parse a form, call one act, render. Nothing here decides.

Read in this order: `doors` (how a view calls an act), `proving` (who sits at the desk, proved again), `states` (the pages
for what did not work), `paper` (a drawn PDF), `shell` (what every page shows around its content); then the rooms: `signing_in`, `desk`,
`register`, `record`, `route`, `keeping` and `control`.
"""
