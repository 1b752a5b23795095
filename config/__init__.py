"""The wiring: settings, addresses, middleware, the worker loop, deployment.

`config` may import every package; nobody imports `config`.
"""

VERSION = "0.1.0"  # as in pyproject.toml; a test compares the two
