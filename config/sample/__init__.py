"""The sample office and its sample writer: everything `manage.py demo` shows, none of it real.

Read in this order: `office` (units, people, registers, file plan, as plain data) -
`correspondents` (who writes to the office, and how each body numbers and signs) -
`prose/` (what the letters say, one text file each) - `letters` (a letter with its
true register fields) - `stamps` and `paper` (how it is drawn as a text PDF) -
`ageing` (what a scanner makes of it) - `files` (all of it into a folder).

People, numbers and contents are invented and harmless. No letter is ever top
secret: the law keeps such files out of every profile. Every seal carries the word
"MẪU" (specimen) in its middle, so that no page can pass for a real one.
Nothing here touches the database or the network.
"""
