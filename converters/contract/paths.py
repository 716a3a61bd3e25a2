"""Paths of ``provenance.facts``: do they lead to something in the case?"""

import re

from schemas.case import Case

_ITEM = re.compile(r"(labels|regions|texts|questions|images|volumes|volume_regions)\[(\d+)\](?:\.[\w.]+)?")
_WHOLE = re.compile(r"(?:labels|complete_regions|(?:spec|acquisition|demographics)\.\w+)")


def resolves(fact: str, case: Case) -> bool:
    """Whether ``labels[0]``, ``images[1].view.orientation``, ``spec.modality``, ... exists for this case."""
    found = _ITEM.fullmatch(fact)
    if found:
        return int(found[2]) < len(getattr(case, found[1]))
    return _WHOLE.fullmatch(fact) is not None
