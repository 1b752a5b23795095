"""Where sealed objects lie, seen from behind the driver: tests damage, copy and count them there."""

import io
import secrets
from dataclasses import replace

from archive.stores import bucket
from archive.stores.local import LocalStore
from archive.stores.s3 import S3Store


class LocalMedium:
    """A folder."""

    def __init__(self, tmp_path):
        self.root = tmp_path / "objects"

    def driver(self):
        return LocalStore(self.root)

    def _path(self, address):
        return self.root / address[:2] / address[2:4] / f"{address}.vkso"

    def read(self, address):
        return self._path(address).read_bytes()

    def write(self, address, content):
        self._path(address).write_bytes(content)

    def names(self):
        """Return every file, unfinished ones too."""
        return sorted(str(path) for path in self.root.rglob("*") if path.is_file())


class BucketMedium:
    """A prefix of a bucket, new for each test."""

    def __init__(self, account):
        self.account = replace(account, prefix=secrets.token_hex(4))
        self.client = bucket.connect(account)

    def driver(self, url="", **seconds):
        return S3Store(replace(self.account, url=url or self.account.url), **seconds)

    def _key(self, address):
        """Return where the object lies, whatever its level; where it is not there, the place of an office of before."""
        end = f"/{address[:2]}/{address[2:4]}/{address}.vkso"
        return next((name for name in self.names() if name.endswith(end)), f"{self.account.prefix}{end}")

    def read(self, address):
        answer = self.client.get_object(self.account.bucket, self._key(address))
        try:
            return answer.read()
        finally:
            answer.close()
            answer.release_conn()

    def write(self, address, content):
        self.client.put_object(self.account.bucket, self._key(address), io.BytesIO(content), len(content))

    def names(self):
        """Return every object and every unfinished upload."""
        whole = self.client.list_objects(self.account.bucket, prefix=self.account.prefix, recursive=True)
        begun = self.client._list_multipart_uploads(self.account.bucket, prefix=self.account.prefix)
        return sorted([*(one.object_name for one in whole), *(one.object_name for one in begun.uploads)])
