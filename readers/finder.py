"""Finds the file that a table or annotation means, from whatever it wrote."""

import unicodedata
from collections.abc import Sequence

from readers.source import Source, is_unsafe, printable
from schemas.errors import CaseError

EXTENSIONS = (".jpg", ".png", ".jpeg", ".tif", ".tiff", ".bmp", ".gif", ".webp", ".dcm", ".dicom", ".nii.gz", ".nii")


class Finder:
    """Looks a written name up among the files of a source.

    First as written, below each of ``folders``, with and without an extension added; then without its first folder
    where the source has none of that name (``CheXpert-v1.0/train/...`` once the archive's own folder is the root); then
    by base name anywhere below them, whatever its case, extension or Unicode form.  Two candidates are an error, not a
    choice.
    """

    def __init__(self, source: Source, folders: Sequence[str] = (), extensions: Sequence[str] = EXTENSIONS) -> None:
        self._source = source
        self._folders = [folder.strip("/") for folder in folders] or [""]
        self._extensions = tuple(extensions)
        self._index: dict[str, list[str]] | None = None
        self._top: set[str] | None = None

    def find(self, written: str) -> str:
        """The path meant by ``written``; `CaseError` ``unsafe_path``, ``missing_image`` or ``ambiguous_image``."""
        name = written.strip().replace("\\", "/").removeprefix("./")
        if is_unsafe(name):
            raise CaseError("unsafe_path", f"the name {printable(written)!r} would lead out of the dataset's root")
        return self._written(name) or self._written(self._below(name)) or self._search(name)

    def _written(self, name: str) -> str:
        """The file of exactly this path, an extension added if need be; empty where there is none."""
        for folder in self._folders if name else ():
            path = f"{folder}/{name}" if folder else name
            for extension in ("", *self._extensions):
                if self._source.exists(path + extension):
                    return path + extension
        return ""

    def _below(self, name: str) -> str:
        """The path without its first folder, where it has further ones and the source has no such folder."""
        first, _, rest = name.partition("/")
        if "/" not in rest:
            return ""
        if self._top is None:
            self._top = {each for folder in self._folders for each in self._source.listing(folder)[0]}
        return rest if first not in self._top else ""

    def _search(self, name: str) -> str:
        found = self._indexed().get(_loose(name), [])
        # With folders written down, a file below other folders is another file.
        tail = "/" + name.lower()
        closer = [path for path in found if ("/" + path.lower()).endswith(tail)] or (found if "/" not in name else [])
        exact = [path for path in closer if path.rpartition("/")[2] == name.rpartition("/")[2]]
        closer = exact or closer
        if not closer:
            raise CaseError("missing_image", f"there is no file {printable(name)} in the dataset; check image_dir")
        if len(closer) > 1:
            raise CaseError(
                "ambiguous_image", f"{len(closer)} files could be meant by {printable(name)}", "quarantined"
            )
        return closer[0]

    def _indexed(self) -> dict[str, list[str]]:
        if self._index is None:
            self._index = {}
            for folder in self._folders:
                for path in self._source.walk(folder):
                    self._index.setdefault(_loose(path), []).append(path)
        return self._index


def _loose(path: str) -> str:
    """A base name without image extension, in one Unicode form and case."""
    name = unicodedata.normalize("NFC", path.rpartition("/")[2]).casefold()
    extension = next((ext for ext in sorted(EXTENSIONS, key=len, reverse=True) if name.endswith(ext)), "")
    return name.removesuffix(extension)
