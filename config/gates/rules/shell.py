"""Faults planted for the rule shell, and what it must let pass."""

import asyncio
import os
import pickle
import subprocess


def planted(name):
    # ruleid: shell
    subprocess.run("tesseract " + name, shell=True)
    # ruleid: shell
    os.system("tesseract " + name)
    # ruleid: shell
    os.popen("tesseract " + name)
    # ruleid: shell
    subprocess.getoutput("tesseract " + name)
    # ruleid: shell
    asyncio.create_subprocess_shell("tesseract " + name)
    # ruleid: shell
    eval(name)
    # ruleid: shell
    pickle.loads(name)


def fair(name):
    # ok: shell
    subprocess.run(["tesseract", name, "-"], check=True)
