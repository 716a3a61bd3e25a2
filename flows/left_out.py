"""What was left out of headers and containers, counted for the audit of a release; never the values."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from flows.plan import Job
from schemas.staged import StagedCase
from schemas.work import Work

REMOVED = "metadata_removed"
ANEW = "the volume was written anew, without texts, extensions or anything around its voxels"


def left_out(work: Work, case: StagedCase) -> Counter[str]:
    """Sentence -> published pictures and volumes of a case that it is true of.

    Args:
        work: a case that is kept.
        case: the same, ready for storage.
    """
    shown = dict.fromkeys(ref for row in work.rows for ref in row.images)
    found = Counter(one.detail for ref in shown for one in work.pictures[ref].findings if one.code == REMOVED)
    sources = {digest for volume in work.volumes.values() for digest in volume.source_sha256}
    anew = sum(blob.sha256 not in sources for blob in case.volumes)
    return found + Counter({ANEW: anew} if anew else {})


def by_dataset(jobs: Sequence[Job], counts: Iterable[dict[str, Any]]) -> dict[str, dict[str, int]]:
    """dataset -> sentence -> pictures and volumes, over all partitions.

    Args:
        jobs: the partitions.
        counts: what each of them returned, in the same order; further ones are of no partition.
    """
    found: dict[str, Counter[str]] = {}
    for job, told in zip(jobs, counts, strict=False):
        found.setdefault(job.dataset, Counter()).update(told["left_out"])
    return {name: dict(sorted(some.items())) for name, some in found.items() if some}
