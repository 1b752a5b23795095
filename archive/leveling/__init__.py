"""The life of a secrecy level: raise, lower, declassify, extend, review; what follows from each, and when it is due.

Read in this order: `acts` (who decides what), `moving` (what a change moves, in one transaction),
`keys` (the key vault, a database of its own), `history` (what a level was on a day), `words` (what was
written at a higher level), `notices` (holders to be told), `closing` (what a void number ends), `lists`
(what waits for whom). Nothing here changes by itself.
"""
