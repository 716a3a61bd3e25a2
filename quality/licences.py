"""What a mixture of sources may be released as; a mixture that may not be is refused before work starts.

The rows of a release are adaptations (questions, crops, slices, captions) of their sources.  So no-derivatives
sources give no rows, share-alike sources bind what is released together with them to their own licence, and
non-commercial ones forbid a release that promises commercial use.  Each row also carries its own licence.
This is bookkeeping of the licences' plain terms, not legal advice: a waiver takes a person's written reason.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pydantic import Field

from quality.base import GateOptions
from quality.verdict import ReleaseFinding, judge
from schemas.errors import UserError, nearest
from schemas.findings import Severity
from schemas.recipe import Recipe
from schemas.spec import Access, DatasetSpec, Strict

GATE = "licences"

ACCESS_RANK = {"open": 0, "credentialed": 1, "restricted": 2}


class Terms(Strict):
    """What one licence asks for."""

    commercial: bool = True
    """Commercial use is allowed."""
    derivatives: bool = True
    """Adaptations may be handed on."""
    share_alike: str = ""
    """Family of licences under which adaptations must stay; empty where any will do."""
    attribution: bool = True
    """The source must be named."""


class LicencesOptions(GateOptions):
    """What the release is meant for, and the terms of licences that SPDX does not know."""

    release_as: str = ""
    """Licence that the release as a whole should carry; what its sources demand where empty."""
    commercial: bool = False
    """The release is meant for commercial use too."""
    access: Access | None = None
    """The widest circle that will get the release; the strictest of its sources where empty."""
    terms: dict[str, Terms] = Field(default_factory=dict)
    """Terms of ``LicenseRef-...`` licences."""


@dataclass(frozen=True, slots=True)
class ReleaseTerms:
    """What a mixture comes to."""

    license: str
    """SPDX expression: one licence where one binds all, else all of them joined by AND."""
    access: str
    commercial: bool
    attribution: tuple[str, ...]
    """Datasets that must be named."""


PUBLIC = ("CC0-1.0", "PDDL-1.0", "Unlicense", "0BSD", "CC-PDDC")
PERMISSIVE = (
    "MIT", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "ODC-By-1.0", "CDLA-Permissive-1.0",
    "CDLA-Permissive-2.0", "OGL-UK-3.0",
)  # fmt: skip
COPYLEFT = {
    "ODbL-1.0": "ODbL", "CDLA-Sharing-1.0": "CDLA-Sharing", "GPL-2.0-only": "GPL", "GPL-2.0-or-later": "GPL",
    "GPL-3.0-only": "GPL", "GPL-3.0-or-later": "GPL", "AGPL-3.0-only": "AGPL",
}  # fmt: skip
_CC = re.compile(r"^CC-BY(-NC)?(-SA|-ND)?-\d\.\d(?:-[A-Z]+)?$")


def terms_of(license_id: str, own: Mapping[str, Terms] | None = None) -> Terms | None:
    """Terms of an SPDX id, or of one of ``own``; ``None`` where nobody has stated them."""
    if own and license_id in own:
        return own[license_id]
    if license_id in PUBLIC:
        return Terms(attribution=False)
    if license_id in PERMISSIVE:
        return Terms()
    if license_id in COPYLEFT:
        return Terms(share_alike=COPYLEFT[license_id])
    found = _CC.match(license_id)
    if found is None:
        return None
    family = f"CC-BY{found[1] or ''}-SA" if found[2] == "-SA" else ""
    return Terms(commercial=not found[1], derivatives=found[2] != "-ND", share_alike=family)


def check_licences(recipe: Recipe, specs: Sequence[DatasetSpec]) -> ReleaseTerms:
    """What the recipe's mixture may be released as.

    Raises:
        UserError: the mixture may not be released, and no waiver of the gate ``licences`` says why it may.
    """
    options = options_of(recipe)
    if options.enabled:
        refusing = [one for one in judge(findings(options, specs), recipe.waivers) if not one.passed]
        unwaived = [one.detail for one in refusing if not one.waived_by]
        if unwaived:
            raise UserError("; ".join(unwaived))
    return combine(options, specs)


def options_of(recipe: Recipe) -> LicencesOptions:
    """The gate's options in a recipe."""
    from quality.release_options import release_options

    return release_options(LicencesOptions, recipe.gates)


def findings(options: LicencesOptions, specs: Iterable[DatasetSpec]) -> list[ReleaseFinding]:
    """Everything that forbids the mixture.  Restricted sources publish no contents and bind nobody."""
    used = [spec for spec in specs if spec.access != "restricted"]
    found = [one for spec in used for one in _single(spec, options)]
    return [*found, *_mixture(used, options)]


def combine(options: LicencesOptions, specs: Sequence[DatasetSpec]) -> ReleaseTerms:
    """The mixture's licence, access and duties."""
    terms = {spec.name: terms_of(spec.license, options.terms) or Terms(commercial=False) for spec in specs}
    licences = sorted({spec.license for spec in specs})
    binding = sorted({spec.license for spec in specs if terms[spec.name].share_alike})
    one = options.release_as or (binding[-1] if binding and _families(specs, options) == 1 else "")
    return ReleaseTerms(
        license=one or " AND ".join(licences),
        access=max((spec.access for spec in specs), key=ACCESS_RANK.__getitem__, default="open"),
        commercial=all(one.commercial for one in terms.values()),
        attribution=tuple(name for name, one in terms.items() if one.attribution),
    )


def _single(spec: DatasetSpec, options: LicencesOptions) -> Iterable[ReleaseFinding]:
    terms = terms_of(spec.license, options.terms)
    if terms is None:
        hint = nearest(spec.license, [*PUBLIC, *PERMISSIVE, *COPYLEFT, "CC-BY-4.0", "CC-BY-NC-4.0", "CC-BY-SA-4.0"])
        yield _no(spec, f"nobody has stated the terms of {spec.license}{hint}; state them in gates.licences.terms")
        return
    if not terms.derivatives:
        yield _no(spec, f"{spec.license} allows no derivatives, and every row would be one; leave it out")
    if options.commercial and not terms.commercial:
        yield _no(spec, f"{spec.license} forbids commercial use, for which gates.licences.commercial asks")
    if options.access and ACCESS_RANK[spec.access] > ACCESS_RANK[options.access]:
        yield _no(spec, f"its access is {spec.access}, but the release is to be {options.access}")


def _mixture(specs: Sequence[DatasetSpec], options: LicencesOptions) -> Iterable[ReleaseFinding]:
    wanted = terms_of(options.release_as, options.terms) if options.release_as else None
    if options.release_as and wanted is None:
        text = f"nobody has stated the terms of {options.release_as}; state them in gates.licences.terms"
        yield ReleaseFinding(GATE, Severity.REFUSE_RELEASE, text)
        return
    for spec in specs:
        terms = terms_of(spec.license, options.terms)
        if terms and wanted and not _may_become(terms, wanted, spec.license == options.release_as):
            yield _no(spec, f"what comes from {spec.license} may not be released as {options.release_as}")
    if not wanted:
        yield from _bound(specs, options)


def _bound(specs: Sequence[DatasetSpec], options: LicencesOptions) -> Iterable[ReleaseFinding]:
    """Share-alike sources beside something that their licence does not take in."""
    for binding in specs:
        family = terms_of(binding.license, options.terms)
        if not family or not family.share_alike:
            continue
        for other in specs:
            terms = terms_of(other.license, options.terms)
            if terms and not _may_become(terms, family, other.license == binding.license):
                yield _no(
                    binding,
                    f"{binding.license} binds what is released with it, and {other.license} of {other.name} "
                    f"may not be released so; make two releases of them",
                )


def _may_become(terms: Terms, wanted: Terms, same: bool) -> bool:
    """Whether an adaptation under ``terms`` may be handed on under a licence with the terms ``wanted``."""
    if same:
        return True
    if terms.share_alike and terms.share_alike != wanted.share_alike:
        return False
    return terms.commercial or not wanted.commercial


def _families(specs: Iterable[DatasetSpec], options: LicencesOptions) -> int:
    found = (terms_of(spec.license, options.terms) for spec in specs)
    return len({terms.share_alike for terms in found if terms and terms.share_alike})


def _no(spec: DatasetSpec, why: str) -> ReleaseFinding:
    return ReleaseFinding(GATE, Severity.REFUSE_RELEASE, f"{spec.name}: {why}", spec.name)
