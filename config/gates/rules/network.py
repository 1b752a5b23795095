"""Faults planted for the rule network, and what it must let pass."""

# ruleid: network
import requests

# ruleid: network
import socket

# ruleid: network
import urllib.request

# ruleid: network
import smtplib

# ruleid: network
from urllib.request import urlopen

# ruleid: network
from http import client

# ok: network
from urllib.parse import quote
