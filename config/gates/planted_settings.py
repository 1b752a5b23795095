"""The settings of an office with faults on purpose: the gates must find each (never used outside `config.gates`)."""

from config.gates.served_settings import *  # noqa: F403

ROOT_URLCONF = "config.gates.planted"
