"""Reading sealed objects: verified bytes or none, to the end also where one is sealed anew meanwhile.

Never hands out a byte whose chunk has not verified, and never decides who may read.
"""

from collections.abc import Callable
from typing import BinaryIO

from archive.rules.errors import Refusal
from archive.sealing import Broken, Unsealed
from archive.stores.refusals import DAMAGED_PARTS, DamagedObject, MissingObject, StoreFailed

Opening = Callable[[], tuple[BinaryIO, bytes, bytes]]  # -> stream of the sealed bytes, object id, data key


class Reader(Unsealed):
    """A verified stream of one object or a range of it; a broken chunk refuses with the address.

    What is sealed anew meanwhile is read on as what it is now: a medium that is asked range by range has the old bytes no more.
    """

    def __init__(self, opening: Opening, *, start: int = 0, length: int | None = None) -> None:
        """Open. Raises as `Store.open`."""
        self._opening = opening
        self._begin(start, length)

    def _begin(self, start: int, length: int | None) -> None:
        source, object_id, key = self._opening()
        self._address = object_id.hex()
        try:
            super().__init__(source, object_id=object_id, key=key, start=start, length=length)
        except MissingObject:
            source.close()
            self._begin(start, length)
        except (Broken, OSError) as error:
            source.close()
            raise unreadable(self._address, error) from error

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Fill the buffer with verified bytes. Raises as `Store.open`."""
        at = self.tell()
        try:
            return super().readinto(buffer)
        except MissingObject:
            self._source.close()
        except (Broken, OSError) as error:
            raise unreadable(self._address, error) from error
        self._begin(self._start, self._stop - self._start)
        self.seek(at)
        return self.readinto(buffer)


def unreadable(address: str, error: Broken | OSError) -> Refusal:
    """Return what a fault in the sealed bytes of an object is told as."""
    if isinstance(error, Broken):
        return DamagedObject(address=address, part=DAMAGED_PARTS[error.where], chunk=error.chunk)
    return StoreFailed(reason=error.strerror or str(error))
