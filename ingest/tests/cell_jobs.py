"""Jobs that misbehave on purpose, for the tests of the cell."""

import os
import time
from pathlib import Path


def echo(source, args):
    yield {"kind": "echo", **args}, source.read() if source else b""


def spin(source, args):
    yield {"kind": "start"}, b""
    while True:
        pass


def sleep(source, args):
    yield {"kind": "start", "pid": os.getpid()}, b""
    time.sleep(args.get("seconds", 60))


def eat(source, args):
    held = [bytearray(16 << 20) for _ in range(4096)]
    yield {"held": len(held)}, b""


def die(source, args):
    yield {"kind": "start"}, b""
    os.abort()


def flood(source, args):
    while True:
        yield {}, b"x" * (1 << 20)


def lie(source, args):
    os.write(3, b"\x7f\xff\xff\xff" + b"\xff" * 8)
    time.sleep(60)
    yield {}, b""


def fail(source, args):
    yield {"kind": "start"}, b""
    raise ValueError("the words of the paper")


def program(source, args):
    import subprocess

    done = subprocess.run(args["command"], capture_output=True, check=False)
    yield {"code": done.returncode}, done.stdout


def leave_program(source, args):
    import subprocess

    program = subprocess.Popen(["/bin/sleep", "300"])
    yield {"pid": program.pid}, b""
    time.sleep(300)


def two(source, args):
    yield {"page": 1}, b""
    yield {"page": 2}, b""


_state = ["clean"]


def poison(source, args):
    yield {"was": _state[0]}, b""
    _state[0] = "poisoned"


def confess(source, args):
    import sys

    descriptors = []
    for number in range(256):
        try:
            os.fstat(number)
        except OSError:
            continue
        descriptors.append(number)
    yield {"environment": dict(os.environ), "descriptors": descriptors, "modules": sorted(sys.modules)}, b""


def write(source, args):
    with Path("out").open("wb") as target:
        target.write(b"x" * args["bytes"])
    yield {"wrote": args["bytes"]}, b""
