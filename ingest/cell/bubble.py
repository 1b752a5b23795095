"""The wall where the kernel has no Landlock: the whole fork server inside bubblewrap.

Then the programs, the libraries, our code without any data, and the cells' own folder
are all the files there are. Used only if the program is installed and works here.
"""

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Final

# What the fork server needs as root to give each cell a user of its own; nobody else gets these.
FOR_ROOT: Final = ("CAP_SETUID", "CAP_SETGID", "CAP_CHOWN", "CAP_KILL", "CAP_DAC_OVERRIDE", "CAP_SYS_ADMIN")
SHARED: Final = ("/usr", "/lib", "/lib64", "/bin", "/sbin", "/etc/ld.so.cache", "/etc/alternatives")
CODE: Final = ("ingest", "archive/__init__.py", "archive/rules")


def around(command: list[str], *, base: str, root: str) -> list[str]:
    """Return the command inside bubblewrap, or the command itself where that does not work.

    Args:
        command: what starts the fork server.
        base: the folder it may write in.
        root: the checkout, of which only the code of the cell is shown.
    """
    wall = _wall(base, root)
    return [*wall, *command] if wall and _works(tuple(_wall("/tmp", root))) else command  # noqa: S108 - for the trial


def _wall(base: str, root: str) -> list[str]:
    program = shutil.which("bwrap", path="/usr/bin:/bin")
    if not program:
        return []
    wall = [program, "--die-with-parent", "--unshare-ipc", "--unshare-uts", "--unshare-net", "--unshare-pid"]
    shown = [*SHARED, *(str(Path(root) / part) for part in CODE), sys.prefix, sys.base_prefix]
    for place in dict.fromkeys(shown):
        wall += ["--ro-bind-try", place, place]
    wall += ["--dev", "/dev", "--bind", base, base, "--chdir", "/"]
    for capability in FOR_ROOT if os.geteuid() == 0 else ():
        wall += ["--cap-add", capability]
    return wall


@cache
def _works(wall: tuple[str, ...]) -> bool:
    done = subprocess.run([*wall, "/bin/true"], capture_output=True, check=False, timeout=10)  # noqa: S603 - ours
    return done.returncode == 0
