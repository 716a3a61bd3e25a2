"""The task ``long_caption``: Lingshu's five chained stages of a long caption (arXiv 2506.07044).

What is known becomes a short caption without what cannot be seen; regions, drawn into the picture, are described one
by one; an expert's notes go by the checklist of the modality, on the picture without marks; a caption is written of
these; and the last stage merges all, the annotated regions winning where notes disagree.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import ClassVar

from pydantic import Field

from schemas import identity
from schemas.instruction import IMAGE, Instruction, Message
from schemas.rendered import Rendered
from schemas.spec import Strict
from synthesis.base import Answer, Failure, Request
from synthesis.chain import About, Chain, StagedPrompt, language_name, made_by, not_json, parsed, paths, told
from synthesis.facts import Fact, about_the_case, facts, region_box
from synthesis.knowledge import KnowledgeOptions, Snippet, open_knowledge, query_of
from synthesis.pictures import boxed
from synthesis.prompt_file import checklist
from synthesis.prompted import Written, schema_of

STAGES = ("metadata", "annotation", "notes", "caption", "merged")
SEES = ("annotation", "notes", "caption")
"""Stages that are shown the picture."""


class LongCaptionOptions(Strict):
    """Options of the task."""

    prompt: str = ""
    """Path of a prompt file instead of the built-in one."""
    knowledge: KnowledgeOptions | None = None
    """Texts of yours in which the findings are looked up."""
    max_regions: int = Field(default=6, ge=1, le=24)
    """Regions that are drawn in."""
    max_tokens: int | None = None
    """Per stage, instead of the engine's."""


class StageText(Written):
    """What one stage writes."""

    text: str = Field(min_length=1, max_length=3000)


class LongCaption(Chain):
    """Annotation, regions, checklist and knowledge in, one long caption out."""

    name: ClassVar[str] = "long_caption"
    Options: ClassVar[type[Strict]] = LongCaptionOptions
    stages: ClassVar[int] = len(STAGES)

    def __init__(self, options: LongCaptionOptions) -> None:
        self.options = options
        self._prompt = StagedPrompt(self.name, options.prompt, STAGES)
        self._knowledge = open_knowledge(options.knowledge) if options.knowledge else None

    def start(self, about: About) -> Iterator[tuple[str, Request]]:
        """One caption of the first picture of a case about which something is known."""
        case = about.case
        if case.images and case.images[0] in about.pictures and about_the_case(_known(about)):
            yield identity.row_id(case.dataset, case.identity, self.name, "row"), self._request("metadata", (), about)

    def follow(self, row_id: str, answers: Sequence[Answer], about: About) -> Request | Failure | None:
        """The next stage, told what those before it wrote."""
        written = [parsed(StageText, answer) for answer in answers]
        if not written[-1]:
            return not_json(answers[-1])
        if len(answers) == len(STAGES):
            return None
        return self._request(STAGES[len(answers)], [samples[0].text for samples in written], about)

    def finish(self, row_id: str, answers: Sequence[Answer], about: About) -> Instruction | Failure:
        """The merged text as an answer to one of the fixed questions."""
        shown = about.case.images[:1]
        text = parsed(StageText, answers[-1])[0].text
        made = made_by(self.name, answers, STAGES, self._prompt, about, shown=True)
        steps = (*made.steps, *(f"knowledge:{snippet.id}" for snippet in self._snippets(about)))
        made = replace(made, facts=paths(_known(about)), steps=steps)
        asked = f"{IMAGE}\n{self._prompt.question(about.context.seed, row_id)}"
        turns = (Message("user", asked), Message("assistant", text))
        return Instruction(row_id, "caption", turns, made, shown, answer=text)

    def _request(self, stage: str, written: Sequence[str], about: About) -> Request:
        case, spec = about.case, about.context.spec
        words = dict.fromkeys(STAGES, "") | dict(zip(STAGES, written, strict=False))
        words |= {
            "facts": told(_known(about)),
            "language": language_name(about.context.language),
            "checklist": checklist(case.acquisition.modality or spec.modality),
            "knowledge": "\n".join(f"- {snippet.text}" for snippet in self._snippets(about)) or "none",
        }
        images = (self._picture(stage, about),) if stage in SEES else ()
        messages = self._prompt.messages(stage, **words)
        return Request(messages, images, schema_of(StageText), max_tokens=self.options.max_tokens)

    def _picture(self, stage: str, about: About) -> Rendered:
        picture = about.pictures[about.case.images[0]]
        if stage != "annotation":
            return picture
        regions = [region for region in about.case.regions if region.image_index == 0]
        return boxed(picture, [region_box(about.case, region) for region in regions[: self.options.max_regions]])

    def _snippets(self, about: About) -> tuple[Snippet, ...]:
        return self._knowledge.find(query_of(about.case, about.context.spec)) if self._knowledge else ()


def _known(about: About) -> list[Fact]:
    return facts(about.case, about.case.images[:1], about.context.spec)
