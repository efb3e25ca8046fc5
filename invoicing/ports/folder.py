"""`file:/folder`: one file of the tax office's format for each document."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from invoicing import mig
from invoicing.document import Document


@dataclass(frozen=True, slots=True)
class Folder:
    """A port that keeps documents in a folder, which it makes at need."""

    path: Path

    def __call__(self, document: Document) -> None:
        """Write the document's file, for the tax office's program to fetch."""
        _keep(self.path, document)


def _keep(folder: Path, document: Document) -> None:
    """Write the file whole or not at all, and have it on the disk before this returns.

    Again, it is the same file. Whoever fetches `*.xml` never sees half of one.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = mig.name_of(document)
    file, draft = tempfile.mkstemp(prefix=f".{name}.", suffix=".part", dir=folder)
    try:
        with os.fdopen(file, "wb") as open_file:
            open_file.write(mig.written(document))
            open_file.flush()
            os.fsync(open_file.fileno())
        Path(draft).replace(folder / f"{name}.xml")
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
    _flush(folder)


def _flush(folder: Path) -> None:
    """Have the folder's list of names on the disk too: else a power cut may take the file back."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
