"""The way from a source's label words to the spec's canonical ones; an unmapped word is an error, never a guess."""

from functools import cache

from schemas.case import Label, Polarity
from schemas.errors import CaseError, nearest
from schemas.spec import DatasetSpec
from schemas.taxonomy import propose


class LabelMap:
    """Looks words up in a spec's ``labels`` and ``ignore_labels``, as written but for spaces around them."""

    def __init__(self, spec: DatasetSpec) -> None:
        self._known = {word.strip(): name for word, name in spec.labels.items()}
        self._ignored = frozenset(word.strip() for word in spec.ignore_labels)
        self._name = spec.name

    def canonical(self, word: str) -> str | None:
        """The canonical word; None where the spec leaves it out on purpose; `CaseError` ``label_not_in_map``."""
        word = word.strip()
        if word in self._known:
            return self._known[word]
        if word in self._ignored:
            return None
        raise CaseError(
            "label_not_in_map",
            f"the label {word!r} is not in the labels of the spec {self._name}"
            f"{nearest(word, [*self._known, *self._ignored])}; map it there{_canonical(word)} "
            "or name it in ignore_labels",
            "quarantined",
        )

    def label(self, word: str, polarity: Polarity = "present", image_index: int = -1) -> list[Label]:
        """The label of ``word`` as a list of one, empty where the spec ignores it."""
        name = self.canonical(word)
        return [] if name is None else [Label(name, word.strip(), polarity, image_index)]

    def only(self, word: str) -> Label:
        """The label of a case that has no other; `CaseError` ``label_ignored`` (filtered) where the spec ignores it."""
        for label in self.label(word):
            return label
        raise CaseError("label_ignored", f"the spec {self._name} ignores the label {word!r}", "filtered")


@cache
def _canonical(word: str) -> str:
    """`` (to 'pneumonia')``: the canonical words nearest to one that nobody mapped, or nothing."""
    near = " or ".join(repr(name) for name in propose(word))
    return f" (to {near})" if near else ""
