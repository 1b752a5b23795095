"""A paper drawn on the server, on its way to the reader: a file to keep, never a page that a browser opens."""

from django.http import HttpResponse
from django.utils.http import content_disposition_header


def paper(drawn: bytes, name: str) -> HttpResponse:
    """Return a PDF under a file name."""
    headers = {
        "Content-Disposition": content_disposition_header(as_attachment=True, filename=name) or "attachment",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
    }
    return HttpResponse(drawn, content_type="application/pdf", headers=headers)
