"""Names, values and layers of the segments in a ``.seg.nrrd``, as 3D Slicer writes them into the header."""

import re
from dataclasses import dataclass, replace

from readers.pixels.volume_file import Volume
from readers.source import Source

_HEADER = 1 << 20
_ENTRY = re.compile(r"^Segment(\d+)_(Name|LabelValue|Layer|Color):=(.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment."""

    name: str
    value: int
    layer: int
    """Segments of several layers may overlap; each layer is a channel of the volume."""
    colour: tuple[float, float, float] | None
    """Red, green, blue, 0..1, as the annotator's display had it."""


def segments(source: Source, path: str) -> list[Segment]:
    """The segments that the header names, in its order; empty where it names none."""
    head = source.head(path, _HEADER)
    if not head.startswith(b"NRRD"):
        return []
    text = head.split(b"\n\n", 1)[0].split(b"\r\n\r\n", 1)[0].decode("utf-8", "replace").replace("\r\n", "\n")
    found: dict[int, dict[str, str]] = {}
    for number, key, value in _ENTRY.findall(text):
        found.setdefault(int(number), {})[key] = value.strip()
    # Slicer before 4.11 wrote no values: every segment was a layer of zeros and ones.
    return [
        Segment(said["Name"], _whole(said.get("LabelValue"), 1), _whole(said.get("Layer"), number), _colour(said))
        for number, said in sorted(found.items())
        if said.get("Name")
    ]


def layer(label: Volume, number: int) -> Volume:
    """One layer of a label volume; the volume itself where it has no layers."""
    return replace(label, voxels=label.voxels[..., number]) if label.voxels.ndim == 4 else label


def _whole(text: str | None, otherwise: int) -> int:
    return int(text) if text is not None and text.isdecimal() else otherwise


def _colour(said: dict[str, str]) -> tuple[float, float, float] | None:
    try:
        red, green, blue = (float(part) for part in said.get("Color", "").split())
    except ValueError:
        return None
    return red, green, blue
