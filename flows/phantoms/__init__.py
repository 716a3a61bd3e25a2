"""The phantom hospital: small made-up datasets, in the layouts of the field, whose truth is known."""

from flows.phantoms.hospital import build_hospital

__all__ = ["build_hospital"]
