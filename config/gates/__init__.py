"""The gates: what outside judges say of this code and of a running office (`make gates`, config/decisions/gates.md).

Read in this order: `__main__` (the table), `outcome` (what a gate answers), `tools` (their environments), `office` (the
served office) with `filling` and `planted`; then one module for each judge (`answers` is read by sqlmap itself).
"""
