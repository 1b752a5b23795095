"""The drivers of the port `search.engine`: embedded (tantivy, no service).

`schema` (what is kept of an entry) - `compiling` (query tree to engine query) - `shelf`
(one level's index) - `generations` (folders and the pointer) - `embedded` (the driver).
"""
