"""Paper in: from a file handed over to a draft record on the intake desk, or to one more file of a record.

Read in this order: `models` (Scan is the queue row) - `intake` (receive) -
`joining` (one more file for a record that exists) -
`pipeline` (the stages) - `worker` (claim, lease, back-off) - `sandbox` (the
cell every parser runs in) - `sniff`, `pages`, `ocr`, `stamps` (jobs of the
cell) - `fields`, `classify`, `legacy` (pure reading of what was read).
Nothing here imports `search`.
"""
