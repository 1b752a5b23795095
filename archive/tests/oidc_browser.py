"""A browser for the sign-in page of the test provider: walks its forms and stops where it sends back to us."""

import re
import urllib.error
import urllib.parse
import urllib.request
from http.cookiejar import CookieJar
from typing import Any


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows no redirect by itself."""

    def redirect_request(self, *_args: Any) -> None:
        return None


class ProviderBrowser:
    """Keeps the provider's cookies, so that who signed in there once is known there."""

    def __init__(self) -> None:
        self._open = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), _Stay, urllib.request.HTTPCookieProcessor(CookieJar())
        )
        self.asked = 0  # how often a name and a password were asked for

    def walk(self, address: str, *, back: str, name: str) -> str:
        """Return the address at which the provider sends back, signing in as `name` whenever asked."""
        body = None
        for _step in range(12):
            moved, page = self._fetch(address, body)
            body = None
            if moved:
                address = urllib.parse.urljoin(address, moved)
                if address.startswith(back):
                    return address
                continue
            prompt = re.search(r'name="prompt" value="(\w+)"', page)[1]
            given = {"prompt": prompt}
            if prompt == "login":
                self.asked += 1
                given |= {"login": name, "password": "any"}
            address = urllib.parse.urljoin(address, re.search(r'action="([^"]+)"', page)[1])
            body = urllib.parse.urlencode(given).encode()
        raise AssertionError("the provider never sent back")

    def _fetch(self, address: str, body: bytes | None) -> tuple[str, str]:
        try:
            request = urllib.request.Request(address, data=body)  # noqa: S310 - the test provider on loopback
            with self._open.open(request, timeout=10) as answer:
                return "", answer.read().decode()
        except urllib.error.HTTPError as moved:
            with moved:
                if moved.code not in {302, 303}:
                    raise
                return moved.headers["Location"], ""
