"""DatasetSpec: one source dataset, described once in ``catalog/<name>.yaml``."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator

from schemas.yaml_file import load_yaml

Access = Literal["open", "credentialed", "restricted"]


def written_in(letters: str, words: str) -> AfterValidator:
    """Holds a name to ``letters``, a character class, a letter or digit first; ``words`` says so in English."""
    pattern = re.compile(f"(?![._+-]){letters}+")

    def check(value: str) -> str:
        if not pattern.fullmatch(value):
            raise ValueError(f"{value!r} must be {words}, a letter or digit first")
        return value

    return AfterValidator(check)


DatasetName = Annotated[str, written_in("[a-z0-9_-]", "small letters, digits, hyphens and underscores")]


class Strict(BaseModel):
    """A model in which an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ReaderChoice(Strict):
    """Which reader takes the dataset, and how."""

    type: str
    """Name registered under ``medcurate.readers``."""
    options: dict[str, Any] = Field(default_factory=dict)
    """Checked against the reader's own ``Options`` model."""


class GroupRule(Strict):
    """What keeps cases together in one split: patient, else lesion, else study."""

    by: Literal["field", "pattern", "case", "none"] = "none"
    """``field``: a column or attribute of the source; ``pattern``: a regular expression over the case key, its first
    group taken; ``case``: each case is its own group, because each is a different patient; ``none``: the
    source does not tell."""
    field: str = ""
    pattern: str = ""
    ids: Literal["none", "pseudonym", "identifier"] = "none"
    """``pseudonym``: the publisher's own random ids; ``identifier``: ids that could lead to a person (a secret key
    is then demanded before a run)."""

    @model_validator(mode="after")
    def _names_what_it_groups_by(self) -> "GroupRule":
        if self.by == "field" and not self.field:
            raise ValueError("`by: field` needs the name of the column or attribute in `field`")
        if self.by == "pattern" and not self.pattern:
            raise ValueError("`by: pattern` needs a regular expression over the case key in `pattern`")
        return self


class SplitRule(Strict):
    """How cases come to their split."""

    policy: Literal["shipped", "hash"] = "hash"
    """``shipped``: as the source says; ``hash``: by a hash of the group."""
    fractions: dict[str, float] = Field(default_factory=lambda: {"train": 0.8, "val": 0.1, "test": 0.1})

    @field_validator("fractions")
    @classmethod
    def _sums_to_one(cls, value: dict[str, float]) -> dict[str, float]:
        if abs(sum(value.values()) - 1) > 1e-9:
            raise ValueError(f"the fractions sum to {sum(value.values()):g}, but must sum to 1")
        return value


class DatasetSpec(Strict):
    """One source dataset: where it lies, how it is read, what it means, and under which terms."""

    name: DatasetName
    title: str
    license: str
    """SPDX id, or ``LicenseRef-...``."""
    access: Access
    homepage: str = ""
    citation: str = ""
    root: str = ""
    """Folder, zip or tar; relative to the spec's file; ``${VARIABLE:-default}`` is expanded."""
    files: list[dict[str, str]] = Field(default_factory=list)
    """For ``medcurate fetch``: url, path, sha256 of each."""
    reader: ReaderChoice
    modality: str
    anatomy: str
    clinical_task: str
    labels: dict[str, str] = Field(default_factory=dict)
    """The source's word -> canonical word."""
    ignore_labels: list[str] = Field(default_factory=list)
    """Source words that are known and left out on purpose."""
    wholes: list[str] = Field(default_factory=list)
    """Canonical labels to be made by uniting the masks of their parts and lesions (``kidney`` of left kidney, right
    kidney, tumour and cyst); only where the source marks all of its parts."""
    label_kind: Literal["none", "multi_class", "multi_label", "ordinal"] = "none"
    """``multi_class``: exactly one is true, so the others are false; ``multi_label``: each stands for itself;
    ``ordinal``: multi_class whose labels are in rising order in the map."""
    orientation: str = ""
    """Patient directions of +x and +y of 2D images, two letters of LRAPSI (``LI`` for a frontal chest film in
    the usual display); empty where there is none, as in microscopy."""
    group: GroupRule = GroupRule()
    split: SplitRule = SplitRule()
    gates: dict[str, Any] = Field(default_factory=dict)
    """Thresholds of this source that differ from the recipe's."""
    notes: str = ""

    @field_validator("labels")
    @classmethod
    def _spelled_one_way(cls, value: dict[str, str]) -> dict[str, str]:
        spelled: dict[str, str] = {}
        for word in value.values():
            other = spelled.setdefault(word.casefold(), word)
            if other != word:
                raise ValueError(f"the canonical words {other!r} and {word!r} differ in case only; write one of them")
        return value

    def canonical(self) -> list[str]:
        """Canonical label words in the map's order, wholes last, without repetition."""
        return list(dict.fromkeys([*self.labels.values(), *self.wholes]))


def load_spec(path: Path) -> DatasetSpec:
    """Read one spec; its ``root`` comes back expanded and absolute."""
    spec = load_yaml(path, DatasetSpec)
    return spec.model_copy(update={"root": resolve(spec.root, path.parent)}) if spec.root else spec


def resolve(location: str, base: Path) -> str:
    """Expand ``${VARIABLE:-default}`` and make a plain path absolute against ``base``; addresses stay as they are."""
    import os
    import re

    expanded = re.sub(r"\$\{(\w+)(?::-([^}]*))?\}", lambda m: os.environ.get(m[1]) or m[2] or "", location)
    return expanded if "://" in expanded else str((base / Path(expanded).expanduser()).resolve())
