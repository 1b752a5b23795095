"""`manage.py serve`: web and worker together on one machine, one clean stop.

Both are forked from one process that has loaded everything, so they share its memory.
"""

import contextlib
import ctypes
import os
import signal

# nosemgrep: network - asks whether its own port is free
import socket
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any, Final

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections

from config import collecting, door, lifetime, roles, starting

PR_SET_PDEATHSIG: Final = 1


class Command(BaseCommand):
    """Serve an installation."""

    help = "Run web and worker together."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--host", default="127.0.0.1", help="the evaluation profile binds to loopback only")
        parser.add_argument("--threads", type=int, default=8, help="threads of the web process")

    def handle(self, *, host: str, port: int, threads: int, **_options: Any) -> None:
        if settings.PROFILE == "evaluation" and host not in {"127.0.0.1", "::1", "localhost"}:
            raise CommandError("The evaluation profile binds to loopback only. Set VANKHO_PROFILE=production.")
        try:
            roles.bring_up_to_date()
        except roles.NotPrepared as refusal:
            raise CommandError(f"{refusal.code}: {refusal}") from refusal
        starting.require()
        if fault := taken(host, port):
            raise CommandError(
                f"Nothing can be served at {host}:{port} ({fault}). Choose another port: manage.py serve --port {port + 10}"
            )
        door.is_watched = True
        lifetime.began("serve")
        connections.close_all()
        share_memory()
        children = {fork(lambda: web(host, port, threads)): "web", fork(work): "work"}
        self.stdout.write(f"Văn Khố: http://{host}:{port}/  (Ctrl+C ends web and worker)")
        status = wait_for(children)
        if not status:
            lifetime.ended("serve")
        sys.exit(status)


def taken(host: str, port: int) -> str:
    """Return why nothing can listen at an address, or "": gunicorn would try for seconds and then say it without the cure."""
    try:
        socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET).close()
    except OSError as fault:
        return fault.strerror or str(fault)
    return ""


def share_memory() -> None:
    """Load what both children need and put it out of the collector's reach, so that it stays shared after the fork."""
    import config.worker
    import config.wsgi

    del config
    collecting.put_aside()


def fork(run: Callable[[], None]) -> int:
    """Run something in a child; return its process id."""
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        end_with(parent)
        run()
        status = 0
    except SystemExit as ended:
        status = int(ended.code or 0) if isinstance(ended.code, int | None) else 1
    except BaseException:  # noqa: BLE001 - a child that ends of a fault says which; nobody above it would
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def end_with(parent: int) -> None:
    """Ask the kernel to tell this process to stop when the one that started it is killed."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def web(host: str, port: int, threads: int) -> None:
    """Serve pages with gunicorn: one process, some threads."""
    from gunicorn.app.base import BaseApplication

    from config.wsgi import application

    collecting.look_seldom()

    class Web(BaseApplication):  # type: ignore[misc]
        def load_config(self) -> None:
            self.cfg.set("bind", f"{host}:{port}")
            self.cfg.set("threads", threads)
            self.cfg.set("worker_class", "gthread")
            self.cfg.set("loglevel", "warning")
            self.cfg.set("timeout", 120)
            self.cfg.set("control_socket_disable", True)  # noqa: FBT003 - gunicorn's own form
            self.cfg.set("logconfig_dict", settings.LOGGING)

        def load(self) -> Any:
            return application

    Web().run()


def work() -> None:
    """Run the worker."""
    call_command("work")


def wait_for(children: dict[int, str]) -> int:
    """Wait; when told to stop, or when one child ends, end the other cleanly; return the exit status."""
    stopping: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda signum, _frame: stopping.append(signum))
    status = 0
    while children:
        ended, code = os.waitpid(-1, os.WNOHANG)
        if ended in children:
            name = children.pop(ended)
            if not stopping:
                sys.stderr.write(f"{name} has ended ({code}); stopping the rest\n")
                status = 1
                stopping.append(signal.SIGTERM)
        if stopping:
            _tell(children, signal.SIGTERM)
        time.sleep(0.2)
    return status


def _tell(children: dict[int, str], number: int) -> None:
    for pid in children:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue
