"""Reports: findings from the picture, impression from findings, a section asked for by its name.

Sentences that compare with an earlier examination are taken out, because the picture does not show it; a section that
holds nothing else gives no row.
"""

import re
from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from converters.asking import Asker, Common
from converters.existing_qa import tidy
from converters.scenes import true_labels
from schemas.case import Case
from schemas.context import Context
from schemas.instruction import Instruction

Form = Literal["findings", "report", "impression", "impression_from_findings", "sections"]

_PRIOR = re.compile(
    r"\b(?:prior|previous(?:ly)?|earlier|compar(?:ed|ison|able)|interval(?:ly)?|unchanged|stable|again|since|"
    r"no (?:significant |interval )?change|new(?:ly)?|increas(?:ed|ing)|decreas(?:ed|ing)|improv(?:ed|ing|ement)|"
    r"worsen(?:ed|ing)|resol(?:ved|ving|ution)|progress(?:ed|ion|ive)|persist(?:s|ent|ing)?|re-?demonstrat\w*|"
    r"follow[- ]?up|in the meantime|remains?|no longer|without (?:significant |interval )?change|residual|recurr\w+|"
    r"(?:has|have) (?:been )?(?:removed|developed|enlarged|grown|shrunk|cleared|regressed|changed)|"
    r"(?:as|than) (?:before|previously|on the (?:last|old))|last (?:exam\w*|film|study|radiograph|scan|ct|visit)|"
    r"larger|smaller|worse|(?:more|less) (?:prominent|conspicuous|extensive|pronounced|marked))\b"
    r"|较前|同前|前片|旧片|上次|复查|与前|既往(?:片|检查)|新出现|较.{0,8}(?:增大|增多|缩小|减少|好转|进展|吸收)",
    re.IGNORECASE,
)
_UNSEEN = ("indication", "history", "clinical", "technique", "comparison", "exam", "procedure", "reason")
_EMPTY = re.compile(
    r"\W*(?:none|nil|null|nan|n/?a|x{3,}|unknown|pending|ditto|same|(?:the )?(?:above|below)"
    r"|not (?:available|given|stated|provided|applicable|specified|reported|done)"
    r"|(?:please )?(?:see|refer to) (?:the )?(?:above|below|findings|report|body|comments?)"
    r"(?: (?:section|of (?:the )?report|above|below))?"
    r"|(?:as|per)(?: (?:described|stated|noted|per|discussed))?(?: (?:above|below|(?:the )?findings))"
    r"|无|暂无|未提供|不详|略|待定|待查|同上|如上|如上所述|见上|见上文|见下|见下文|见描述|见上述描述)\W*",
    re.IGNORECASE,
)
"""A section that says nothing itself, or points to another one."""
_SENTENCE = re.compile(r"((?<=[.!?])\s+(?=[A-Z0-9])|(?<=[。！？；]))")
"""Sentences with what stands between them: a space, in Chinese nothing."""


class Report:
    """Rows of the forms that the case's texts allow."""

    name: ClassVar[str] = "report"

    class Options(Common):
        """Options."""

        forms: tuple[Form, ...] = ("findings", "report", "impression", "impression_from_findings", "sections")
        unseen: tuple[str, ...] = _UNSEEN
        """Sections whose title holds one of these words are not asked for: the picture does not show them."""
        keep_prior: bool = False
        """Keep sentences that compare with an earlier examination."""
        shortest: int = Field(default=3, ge=1)
        """Characters; shorter answers say too little.  ``Cardiomegaly.`` says enough, and so do most normal films."""
        most_images: int = Field(default=8, ge=1)

    def __init__(self, options: Options) -> None:
        self.options = options

    def convert(self, case: Case, context: Context) -> Iterator[Instruction]:
        """Yield the rows."""
        if not case.texts or len(case.images) > self.options.most_images:
            return
        ask = Asker(case, context, self.name, self.options)
        clean = {number: self._clean(text.content) for number, text in enumerate(case.texts)}
        findings = [number for number, text in enumerate(case.texts) if text.kind == "findings" and clean[number]]
        for number, text in enumerate(case.texts):
            unseen = text.kind == "section" and any(word in text.title.lower() for word in self.options.unseen)
            if len(clean[number]) < self.options.shortest or unseen:
                continue
            for form in self.options.forms:
                if form == "impression_from_findings":
                    if text.kind == "impression" and findings:
                        yield self._from_findings(ask.speaking(text.language, form), number, findings[0], clean)
                elif case.images and text.kind == ("section" if form == "sections" else form):
                    spoken = ask.speaking(text.language, form)
                    yield self._from_image(spoken, form, number, clean[number], tidy(text.title))

    def _clean(self, content: str) -> str:
        text = tidy(content)
        text = text if self.options.keep_prior else without_prior(text)
        return "" if _EMPTY.fullmatch(text) else text

    def _from_image(self, ask: Asker, form: str, number: int, content: str, title: str) -> Instruction:
        row = ask.about(f"{form}/text{number}")
        images = tuple(range(len(ask.case.images)))
        titled = form == "sections" and title
        template = ask.draw("sections" if titled else "report" if form == "sections" else form, row)
        slots = ask.slots(images) | {"title": title.lower()}
        return ask.row(
            row,
            "report",
            template.fill(slots),
            content,
            images=images,
            template=template.id,
            facts=(f"texts[{number}]",),
            labels=true_labels(ask.case),
        )

    def _from_findings(self, ask: Asker, number: int, findings: int, clean: dict[int, str]) -> Instruction:
        row = ask.about(f"impression_from_findings/text{number}")
        template = ask.draw("impression_from_findings", row)
        return ask.row(
            row,
            "text",
            template.fill({"findings": clean[findings]}),
            clean[number],
            images=(),
            template=template.id,
            facts=(f"texts[{findings}]", f"texts[{number}]"),
            labels=true_labels(ask.case),
        )


def without_prior(text: str) -> str:
    """The text without its sentences that compare with an earlier examination."""
    parts = _SENTENCE.split(text)
    kept = [
        sentence + space
        for sentence, space in zip(parts[::2], [*parts[1::2], ""], strict=True)
        if not _PRIOR.search(sentence)
    ]
    return "".join(kept).strip()
