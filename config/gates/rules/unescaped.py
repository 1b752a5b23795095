"""Faults planted for the rule unescaped, and what it must let pass."""

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe


def planted(subject):
    # ruleid: unescaped
    mark_safe(subject)
    # ruleid: unescaped
    SafeString("<b>" + subject + "</b>")
    # ruleid: unescaped
    mark_safe(f"<b>{subject}</b>")
    # ruleid: unescaped
    format_html("<b>" + subject + "</b>")
    # ruleid: unescaped
    format_html(f"<b>{subject}</b>")


def fair(subject):
    # ok: unescaped
    format_html("<b>{}</b>", subject)
    # ok: unescaped
    mark_safe(" selected")
