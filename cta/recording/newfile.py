"""A file that is whole under its name, or not there: written as ``NAME.partial`` beside it, then renamed."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

from cta.model.errors import OutputError

BUFFER_BYTES: Final = 1 << 20
PARTIAL_SUFFIX: Final = ".partial"


class NewFile:
    """``file`` is open for writing from `open` to `finish` or `discard`. Errors: OutputError, also through `refused`."""

    file: BinaryIO

    def __init__(self, path: Path) -> None:
        self.path = path
        self._final = Path(os.path.realpath(path))  # through a link, so that it goes on being one
        self._partial = self._final.with_name(self._final.name + PARTIAL_SUFFIX)

    def open(self) -> None:
        try:
            if self._final.exists() and not self._final.is_file():
                what = "a directory" if self._final.is_dir() else "not a regular file"
                raise OutputError(what, where=str(self.path), remedy="name a file to write")
            self.file = self._partial.open("wb", buffering=BUFFER_BYTES)
        except OSError as error:
            raise self.refused(error) from None

    def finish(self) -> None:
        """All is written: onto the disk, then under the final name, in place of what stood there."""
        try:
            self.file.flush()
            os.fsync(self.file.fileno())
            self.file.close()
            self._partial.replace(self._final)
        except OSError as error:
            self.discard()
            raise self.refused(error) from None
        _sync_directory(self._final.parent)

    def discard(self) -> None:
        """Leave nothing behind."""
        with suppress(OSError):
            self.file.close()
        with suppress(OSError):
            self._partial.unlink()

    def leave(self) -> None:
        """What was written stays in the partial file."""
        with suppress(OSError):
            self.file.close()

    def refused(self, error: OSError) -> OutputError:
        what = error.strerror or str(error)
        remedy = "nothing was left behind; name a place with room that you may write to"
        return OutputError(f"cannot be written: {what.lower()}", where=str(self.path), remedy=remedy)


def _sync_directory(directory: Path) -> None:
    """Makes the new name outlast a power cut, where the file system can."""
    with suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
