"""What a row of a restricted dataset may say: where its pictures lie and their digests, no pixels and no text."""

from typing import Any

RESTRICTED = "restricted"


def is_restricted(row: dict[str, Any]) -> bool:
    """Whether the row's dataset forbids handing on its contents."""
    return bool(row["access"] == RESTRICTED)


def without_contents(row: dict[str, Any]) -> dict[str, Any]:
    """The row with every text, annotation and generated word taken out.

    Ids, MAT triplet, licence, the view's geometry, source digests and the paths of provenance stay, so that
    whoever has access to the source makes the same row again.  Roles stay so that the type of ``messages`` does.
    """
    verdicts = [{**verdict, "detail": ""} for verdict in row["provenance"]["verdicts"]]
    return {
        **row,
        "messages": [{"role": message["role"], "content": ""} for message in row["messages"]],
        "options": [],
        "answer": "",
        "answer_index": -1,
        "regions": [],
        "labels": [],
        "provenance": {**row["provenance"], "verdicts": verdicts},
    }
