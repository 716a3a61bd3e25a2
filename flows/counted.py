"""Counts what a gate costs and finds whose work is done by a step of its own, before rows are judged."""

from collections.abc import Iterator
from time import perf_counter

from flows.steps import Step
from quality.costs import Cost
from schemas.findings import Severity
from schemas.work import Work


def counted(step: Step, cost: Cost, codes: str) -> Step:
    """The step; its time, the rows that it refuses and those that it flags go into ``cost``.

    Args:
        step: takes and yields one case at a time.
        cost: of the gate; rows that stay are counted by the judge, who looks at them later.
        codes: how the gate's codes begin.
    """

    def run(works: Iterator[Work]) -> Iterator[Work]:
        for work in works:
            refused, flagged = len(work.refused), _flagged(work, codes)
            begin = perf_counter()
            [done] = step(iter((work,)))
            cost.seconds += perf_counter() - begin
            cost.rows += len(done.refused) - refused
            cost.refused += len(done.refused) - refused
            cost.flagged += len(_flagged(done, codes) - flagged)
            yield done

    return run


def _flagged(work: Work, codes: str) -> set[str]:
    """Ids of rows that carry such a code, or show a picture on which such a thing was found."""
    found = {
        ref
        for ref, picture in work.pictures.items()
        for one in picture.findings
        if one.severity is Severity.FLAG and one.code.startswith(codes)
    }
    return {
        row.id
        for row in work.rows
        if any(flag.startswith(codes) for flag in row.flags) or any(ref in found for ref in row.images)
    }
