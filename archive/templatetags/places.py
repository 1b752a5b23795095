"""Addresses that name nothing: looked up once in a process, because the shell has a dozen and each look took 40 microseconds."""

from functools import cache

from django import template
from django.urls import reverse

register = template.Library()


@register.simple_tag
@cache
def place(name: str) -> str:
    """Return an address without a part that changes, such as the one of the empty search page."""
    return reverse(name)
