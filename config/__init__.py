"""The wiring: settings, addresses, middleware, the worker loop, deployment.

`config` may import every package; nobody imports `config`.
"""
