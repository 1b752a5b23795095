"""Faults planted for the rule files, and what it must let pass."""

import os
import zipfile
from pathlib import Path


def planted(request, name):
    # ruleid: files
    open(name)
    # ruleid: files
    os.open(name, os.O_RDONLY)
    # ruleid: files
    Path("/srv/files", name).read_bytes()
    # ruleid: files
    Path("/srv/files", name).open("rb")
    # ruleid: files
    Path("/srv/files", name).write_text("x")
    # ruleid: files
    zipfile.ZipFile(name)


def fair(store, address):
    # ok: files
    store.open(address)
