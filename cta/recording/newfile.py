"""A file that is whole under its name, or not there: written as ``NAME.partial`` beside it, then renamed.

One writer a name: the partial file is locked while it is written, and a lock ends with its process, however that ends.
It is a POSIX lock; cta is for POSIX systems.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

from cta.model.errors import OutputError

BUFFER_BYTES: Final = 1 << 20
PARTIAL_SUFFIX: Final = ".partial"


class NewFile:
    """``file`` is open for writing from `open` to `finish` or `discard`, or all of it in `whole`. Errors: OutputError, also through `refused`."""

    file: BinaryIO

    def __init__(self, path: Path) -> None:
        self.path = path
        self._final = Path(os.path.realpath(path)) if path.is_symlink() else path  # a link goes on being one
        self.partial = Path(f"{self._final}{PARTIAL_SUFFIX}")
        """Where it is written; what stood there is lost."""

    def check(self) -> None:
        """OutputError where something stands there that is no file to replace."""
        try:
            if self._final.exists() and not self._final.is_file():
                what = "a directory" if self._final.is_dir() else "not a regular file"
                raise OutputError(what, where=str(self.path), remedy="name a file to write")
        except OSError as error:
            raise self.refused(error) from None

    def open(self) -> None:
        self.check()
        try:
            self.file = os.fdopen(self._claim(), "wb", buffering=BUFFER_BYTES)
        except BlockingIOError:
            what, remedy = "is being written by another run", "wait for its end, or choose another name"
            raise OutputError(what, where=str(self.path), remedy=remedy) from None
        except OSError as error:
            raise self.refused(error) from None

    @contextmanager
    def whole(self) -> Iterator[BinaryIO]:
        """The file to write to, finished at the end of the block; a block that fails or is interrupted leaves nothing."""
        self.open()
        try:
            yield self.file
        except OSError as error:
            self.discard()
            raise self.refused(error) from None
        except BaseException:
            self.discard()
            raise
        self.finish()

    def _claim(self) -> int:
        """The partial file's descriptor, empty and locked. BlockingIOError: somebody else has it."""
        while True:
            descriptor = os.open(self.partial, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o666)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if _is_still(self.partial, descriptor):
                    os.ftruncate(descriptor, 0)
                    return descriptor
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)

    def finish(self) -> None:
        """All is written: onto the disk, then under the final name, in place of what stood there."""
        try:
            self.file.flush()
            os.fsync(self.file.fileno())
            self.partial.replace(self._final)
            self.file.close()
        except OSError as error:
            self.discard()
            raise self.refused(error) from None
        _sync_directory(self._final.parent)

    def discard(self) -> None:
        """Leave nothing behind."""
        with suppress(OSError):
            self.partial.unlink()
        with suppress(OSError):
            self.file.close()

    def leave(self) -> None:
        """What was written stays in the partial file."""
        with suppress(OSError):
            self.file.close()

    def refused(self, error: OSError) -> OutputError:
        what = error.strerror or str(error)
        remedy = "nothing was left behind; name a place with room that you may write to"
        return OutputError(f"cannot be written: {what.lower()}", where=str(self.path), remedy=remedy)


def _is_still(path: Path, descriptor: int) -> bool:
    """Whether the name stands for the open file: its writer before may have renamed or removed it."""
    with suppress(FileNotFoundError):
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    return False


def _sync_directory(directory: Path) -> None:
    """Makes the new name outlast a power cut, where the file system can."""
    with suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
