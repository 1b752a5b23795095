"""The office in a real browser, from the outside: one story, told role by role.

Reading order: `house` (a running installation), `visit` (a person at a browser, with what every page must keep),
`story` (dispatches taken as far as a test needs them), then one file of tests per role.
"""
