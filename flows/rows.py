"""From `Work` to what storage takes: the published columns, joined from instruction, case, spec and pictures."""

import os
from collections.abc import Sequence
from typing import Any

from flows.origins import of_file, origins
from schemas.case import Case, ImageRef, VolumeRef
from schemas.errors import UserError
from schemas.identity import case_order, digest, keyed
from schemas.instruction import Instruction, Place
from schemas.rendered import Carried, Rendered
from schemas.spec import DatasetSpec
from schemas.staged import Blob, StagedCase
from schemas.view import View
from schemas.work import Work

KEY_VARIABLE = "MEDCURATE_ID_KEY"


class Identities:
    """Hides the ids of cases and groups as far as the spec says they could lead to a person."""

    def __init__(self, spec: DatasetSpec) -> None:
        self.spec = spec
        secret = os.environ.get(KEY_VARIABLE, "")
        if spec.group.ids == "identifier" and not secret:
            raise UserError(
                f"{spec.name} holds ids that could lead to a person (group.ids: identifier); "
                f"set {KEY_VARIABLE} to a secret of your own, by which they are hashed"
            )
        self.key = secret.encode() if secret else b"medcurate"

    def case_id(self, key: str) -> str:
        """The published id of a case."""
        return keyed(self.key, "case", self.spec.name, key) if self.spec.group.ids == "identifier" else key

    def alias(self, key: str) -> str:
        """What ids of rows are drawn from in the place of the key; empty where the key itself is published."""
        return keyed(self.key, "alias", self.spec.name, key) if self.spec.group.ids == "identifier" else ""

    def group_id(self, case: Case) -> str:
        """The published id of the case's group; a case of unknown group stands alone."""
        kind, group = ("case", case.key) if case.group is None else ("group", case.group)
        return keyed(self.key, kind, self.spec.name, group)


def staged(work: Work, spec: DatasetSpec, identities: Identities) -> StagedCase:
    """The finished case, its pictures numbered and its rows pointing at them."""
    case = work.case
    assert case is not None
    shown = list(dict.fromkeys(ref for row in work.rows for ref in row.images))
    volumes = list(dict.fromkeys(volume for row in work.rows for volume in row.volumes))
    result = StagedCase(
        dataset=spec.name,
        case_id=identities.case_id(case.key),
        order=case_order(spec.name, case.identity),
        group_id=identities.group_id(case),
        shipped_split=case.split,
        split_policy=spec.split.policy,
        annotation_digest=annotation_digest(case),
        origins=_origins(work, shown, volumes),
        labels=tuple(sorted(case.present())),
        unsure=tuple(sorted({label.name for label in case.labels if label.polarity == "uncertain"})),
        images=[_blob(index, work.pictures[ref]) for index, ref in enumerate(shown)],
        volumes=[_volume(index, volume, work.volumes[volume].data) for index, volume in enumerate(volumes)],
    )
    image_index = {ref: index for index, ref in enumerate(shown)}
    volume_index = {volume: index for index, volume in enumerate(volumes)}
    for row in work.rows:
        carried = [work.volumes[volume] for volume in row.volumes]
        record = columns(row, case, spec, [*(work.pictures[ref] for ref in row.images), *carried])
        record |= {"case_id": result.case_id, "group_id": result.group_id}
        record["images"] = [image_index[ref] for ref in row.images]
        record["volumes"] = [volume_index[volume] for volume in row.volumes]
        result.rows.append(record)
    return result


def columns(row: Instruction, case: Case, spec: DatasetSpec, shown: Sequence[Rendered | Carried]) -> dict[str, Any]:
    """Every published column but the ids of case and group, the split and the bytes."""
    return {
        "id": row.id,
        "task": row.task,
        "messages": [{"role": message.role, "content": message.content} for message in row.messages],
        "options": list(row.options),
        "answer": row.answer,
        "answer_index": row.answer_index,
        "regions": [_place(place) for place in row.regions],
        "labels": list(row.labels),
        "modality": row.modality or case.acquisition.modality or spec.modality,
        "anatomy": row.anatomy or case.acquisition.anatomy or spec.anatomy,
        "clinical_task": row.clinical_task or spec.clinical_task,
        "dataset": spec.name,
        "split": "",
        "license": case.license or spec.license,
        "access": spec.access,
        "view": [_view(ref) for ref in row.images],
        "source_sha256": list(dict.fromkeys(sha for made in shown for sha in made.source_sha256)),
        "provenance": _provenance(row),
        "quality": {
            "flags": list(row.flags),
            "scores": [{"name": name, "value": value} for name, value in row.scores],
        },
    }


def annotation_digest(case: Case) -> str:
    """Digest of everything that was annotated: equal pictures with unequal annotation are no duplicates."""
    return digest(*(repr(part) for part in (case.labels, case.regions, case.texts, case.questions)))


def _origins(work: Work, shown: Sequence[ImageRef], volumes: Sequence[VolumeRef]) -> tuple[str, ...]:
    found = {one for ref in shown for one in origins(ref, work.pictures[ref])}
    for volume in volumes:
        if not volume.mask:
            found.update(map(of_file, work.volumes[volume].source_sha256))
    return tuple(sorted(found))


def _blob(index: int, picture: Rendered) -> Blob:
    return Blob(
        data=picture.data,
        name=f"{index}.{picture.extension}",
        sha256=picture.sha256,
        pixel_digest=picture.pixel_digest,
        phash=picture.phash,
    )


def _volume(index: int, ref: VolumeRef, data: bytes) -> Blob:
    """The bytes; of an image, not of a mask (empty ones are all alike), also the digest of what it shows."""
    import hashlib

    from quality.volume_digest import volume_digest

    suffix = "nii.gz" if data[:2] == b"\x1f\x8b" else "nii"
    shown = "" if ref.mask else volume_digest(data)
    return Blob(data, f"{index}.{suffix}", hashlib.sha256(data).hexdigest(), pixel_digest=shown)


def _place(place: Place) -> dict[str, Any]:
    return {
        "label": place.label,
        "kind": place.kind,
        "box": list(place.box),
        "rle": place.rle,
        "points": list(place.points),
        "size": list(place.size) if place.rle else [],
        "image_index": place.image_index,
    }


def _view(ref: ImageRef) -> dict[str, Any]:
    view: View = ref.view
    return {
        "source_width": view.source_width,
        "source_height": view.source_height,
        "width": view.width,
        "height": view.height,
        "matrix": list(view.matrix),
        "axis": view.axis,
        "index": view.index,
        "frame": view.frame,
        "orientation": view.orientation,
        "spacing": list(view.spacing),
        "slope": view.slope,
        "intercept": view.intercept,
        "window": view.window,
        "window_center": view.window_center,
        "window_width": view.window_width,
        "invert": view.invert,
    }


def _tiles(number: int, ref: ImageRef) -> str:
    """How a montage is laid out: ``montage[0]=128,0:axis 2 index 14 ...``, the slice at each upper left corner."""
    at = (f"{tile.x},{tile.y}:axis {tile.image.view.axis} index {tile.image.view.index}" for tile in ref.tiles)
    return f"montage[{number}]={' '.join(at)}"


def _provenance(row: Instruction) -> dict[str, Any]:
    made = row.provenance
    montages = [_tiles(number, ref) for number, ref in enumerate(row.images) if ref.tiles]
    overlays = [f"overlays[{number}]=drawn" for number, ref in enumerate(row.images) if ref.view.overlays]
    return {
        "converter": made.converter,
        "template": made.template,
        "seed": made.seed,
        "language": made.language,
        "facts": [*made.facts, *montages, *overlays],
        "model": made.model,
        "revision": made.revision,
        "sampling": made.sampling,
        "prompt_digest": made.prompt_digest,
        "image_shown": made.image_shown,
        "request_digest": made.request_digest,
        "verdicts": [
            {"check": said.check, "verdict": said.verdict, "score": said.score, "detail": said.detail}
            for said in made.verdicts
        ],
        "steps": list(made.steps),
    }
