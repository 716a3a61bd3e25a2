"""Radiology reports cut at their headings: findings, impression, indication, and sections by their title."""

import re
from collections.abc import Iterator

from schemas.case import Text, TextKind

_HEADING = re.compile(r"^[ \t]*([A-Z][A-Z ()/&,'-]{2,60}?)[ \t]*:[ \t]*", re.MULTILINE)
_KINDS: dict[str, TextKind] = {
    "FINDINGS": "findings", "FINDING": "findings",
    "IMPRESSION": "impression", "IMPRESSIONS": "impression", "CONCLUSION": "impression",
    "INDICATION": "indication", "REASON FOR EXAM": "indication", "REASON FOR EXAMINATION": "indication",
    "HISTORY": "history", "CLINICAL HISTORY": "history", "CLINICAL INFORMATION": "history",
}  # fmt: skip


def sections(report: str, language: str = "en") -> Iterator[Text]:
    """The sections of a report in order, their lines joined; the whole as ``report`` where nothing is headed.

    A heading is in capitals, begins its line and ends with a colon, as MIMIC-CXR writes them; what stands before the
    first one (``FINAL REPORT``) belongs to no section and is left out.
    """
    headings = list(_HEADING.finditer(report))
    for place, heading in enumerate(headings):
        end = headings[place + 1].start() if place + 1 < len(headings) else len(report)
        content = " ".join(report[heading.end() : end].split())
        title = " ".join(heading[1].split())
        if content:
            yield Text(_KINDS.get(title, "section"), content, language, title.capitalize())
    if not headings and report.strip():
        yield Text("report", report.strip(), language)
