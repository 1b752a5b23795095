"""Uploaded bytes wait in memory of the kernel, never as a plain file on disk.

A temporary file on disk would be a second, unsealed copy of a dispatch.
"""

import os
from typing import IO, Any, cast

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, StopUpload

from archive.rules.sizes import MAX_FILE_BYTES


class SealingHandler(FileUploadHandler):
    """Keeps each uploaded file in an anonymous memory file until it is sealed into the store."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Begin a file."""
        super().new_file(*args, **kwargs)
        # nosemgrep: files - memory, no path
        self.file = cast("IO[bytes]", os.fdopen(os.memfd_create("upload", os.MFD_CLOEXEC), "w+b"))
        self.received = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:  # noqa: ARG002 - Django's signature
        """Take the next bytes; stop the upload beyond the limit of one file."""
        self.received += len(raw_data)
        if self.received > MAX_FILE_BYTES:
            raise StopUpload(connection_reset=False)
        self.file.write(raw_data)

    def file_complete(self, file_size: int) -> "UploadedFile[bytes]":
        """Hand the whole file over."""
        self.file.seek(0)
        return UploadedFile(
            file=self.file,
            name=self.file_name,
            content_type=self.content_type,
            size=file_size,
            charset=self.charset,
            content_type_extra=self.content_type_extra,
        )
