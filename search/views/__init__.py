"""The screens of searching: read what is asked, ask once, render. Nothing here decides who may see what.

Read in this order: `asking` (what is asked, and how it stands in an address) - `results`
(the page of hits) - `narrowing` (facets, histogram) - `typing` (builder, suggestions) -
`keeping` (kept queries).
"""
