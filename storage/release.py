"""Releases as a whole: publish, list, find, verify, pull."""

from storage.publish import publish
from storage.pull import pull
from storage.store import Listed, exists, file_entry, find_release, read_manifest, release_address, releases
from storage.verify import verify

__all__ = [
    "Listed", "exists", "file_entry", "find_release", "publish", "pull", "read_manifest", "release_address",
    "releases", "verify",
]  # fmt: skip
