"""Files of what was found: comma-separated lines, a spreadsheet, paper.

All three say the same: whose office, how secret, who took it out and when, which copy,
what was asked, then the lines. They are Vietnamese whoever takes them out, and decide
nothing: the lines come checked from `search.exporting`.
Reading order: `heading` (what stands above the lines), `cells` (cells that stay text),
`comma`, `sheet`, `paper`.
"""
