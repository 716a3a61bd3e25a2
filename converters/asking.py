"""What all converters share: options, the way from a question and an answer to a row, and the slots of a picture."""

from pathlib import Path

from pydantic import Field

from converters.drawing import Draw, Row, purpose
from converters.geometry_words import plane_of
from converters.memo import of_last_case, of_last_case_and_spec
from converters.scenes import of_quality
from converters.speech import Speech, speech
from converters.templating import FOLDER, Table, Template, load_table
from schemas.case import Case, ImageRef, VolumeRef
from schemas.context import Context
from schemas.identity import digest, row_name
from schemas.instruction import IMAGE, Instruction, Message, Place, Provenance, Task
from schemas.spec import DatasetSpec, Strict


class Common(Strict):
    """Options that every converter takes."""

    language: str = ""
    """Language of the templates; the recipe's where empty."""
    variant: str = ""
    """Tells two uses of one converter in one recipe apart, so that their rows have different ids."""


class PerImage(Common):
    """Options of converters that ask about some of a picture's regions."""

    per_image: int = Field(default=1, ge=1)
    """Questions for each image."""


class Asker:
    """One converter at work on one case: makes ids, draws templates, builds rows."""

    __slots__ = ("case", "context", "converter", "language", "options", "templates", "words")

    def __init__(self, case: Case, context: Context, converter: str, options: Common, templates: Path = FOLDER) -> None:
        """Of a converter of another package, ``templates`` is the folder where its ``<converter>.yaml`` lies."""
        self.case = case
        self.context = context
        self.converter = converter
        self.options = options
        self.templates = templates
        self.language = options.language or context.language
        """Language of the rows."""
        self.words = speech(self.language)
        """Words of that language."""

    def speaking(self, language: str, which: str) -> "Asker":
        """This one, or one that speaks the language of a text that it quotes, so that question and answer agree.

        A language that the recipe names for the converter stays, and so does the recipe's where the set ``which`` has
        no sentences in ``language``.
        """
        if self.options.language or language == self.language or not self.table.speaks(which, language):
            return self
        options = self.options.model_copy(update={"language": language})
        return Asker(self.case, self.context, self.converter, options, self.templates)

    @property
    def table(self) -> Table:
        """The converter's own templates."""
        return load_table(self.converter, self.templates)

    def about(self, variant: str) -> Row:
        """A row's id and what it draws; ``variant`` says what it asks about."""
        return Row(self._name(variant), self.context.seed)

    def id(self, variant: str) -> str:
        """The id of a row that draws nothing."""
        return self._name(variant).hex()

    def _name(self, variant: str) -> bytes:
        for part in ("" if self.language == "en" else self.language, self.options.variant):
            if part:
                variant = f"{part}/{variant}" if variant else part
        return row_name(self.case.dataset, self.case.identity, self.converter, variant)

    def generator(self, variant: str, what: str) -> Draw:
        """Draws that decide ``what`` rows there are; ``variant`` says what they are about, as in `about`."""
        seed, own = self.context.seed, self.options.variant
        return Draw(_origin(self.case) ^ purpose(seed, self.converter, own, self.language, variant, what))

    def draw(self, which: str, row: Row) -> Template:
        """A template of the set, drawn by the row."""
        return load_table(self.converter, self.templates).choose(which, self.language, row)

    def draw_class(self, which: str, row: Row) -> Template:
        """`draw` for a question about a picture's class; in a dataset about quality, one about how good it is."""
        if not of_quality(self.context.spec.clinical_task):
            return self.draw(which, row)
        return load_table("image_quality").choose("which", self.language, row)

    def slots(self, images: tuple[int, ...]) -> dict[str, str]:
        """Slots about the pictures: ``picture``, ``a_picture``, ``this`` (modality named) and ``image`` (not named)."""
        return _slots(self.case, self.context.spec, self.words, images)

    def row(
        self,
        row: Row,
        task: Task,
        question: str,
        answer: str,
        *,
        images: tuple[int, ...],
        template: str = "",
        facts: tuple[str, ...] = (),
        short: str = "",
        options: tuple[str, ...] = (),
        answer_index: int = -1,
        regions: tuple[Place, ...] = (),
        labels: tuple[str, ...] = (),
        pictures: tuple[ImageRef, ...] = (),
        volumes: tuple[VolumeRef, ...] = (),
    ) -> Instruction:
        """One question with one answer.

        Args:
            row: from `about`.
            task: of the row.
            question: without placeholders; they are put before it.
            answer: the assistant's words.
            images: indices of the case's images that the row shows.
            template: id of the template.
            facts: paths into the case that prove the answer.
            short: the ``answer`` column, where it is not the assistant's words.
            options: of a choice.
            answer_index: of the right option.
            regions: places on the shown picture.
            labels: canonical labels true of the row.
            pictures: variants of the pictures to show instead (marked, cropped).
            volumes: that the row carries whole.
        """
        pictures = pictures or tuple([self.case.images[index] for index in images])
        if len(facts) > 1:
            facts = tuple(dict.fromkeys(facts))
        # By place, since names cost as much as all else here.
        return Instruction(
            row.id,
            task,
            (Message("user", f"{IMAGE}\n" * len(pictures) + question), Message("assistant", answer)),
            Provenance(self.converter, template, self.context.seed, self.language, facts),
            pictures,
            volumes,
            options,
            short or answer,
            answer_index,
            regions,
            labels,
        )


@of_last_case
def _origin(case: Case) -> int:
    """Of all draws of one case."""
    return int(digest("draw", case.dataset, case.identity), 16)


@of_last_case_and_spec
def _slots(case: Case, spec: DatasetSpec, words: Speech, images: tuple[int, ...]) -> dict[str, str]:
    name, number = _picture_name(case, spec, words, images), len(images)
    return {
        "picture": name,
        "a_picture": words.a_picture(name, number),
        "this": words.shown(name, number),
        "image": words.shown(words.PLAIN, number),
    }


def _picture_name(case: Case, spec: DatasetSpec, words: Speech, images: tuple[int, ...]) -> str:
    """What one of the pictures is, e.g. ``axial CT slice of the abdomen``, ``montage of 6 axial CT slices``."""
    made = case.acquisition
    tiles = case.images[images[0]].tiles
    views = [tile.image.view for tile in tiles] or [case.images[index].view for index in images]
    planes = {plane_of(view) or made.plane for view in views}
    plane = planes.pop() if len(planes) == 1 else ""
    sliced = views[0].axis >= 0
    name = words.picture(
        made.modality or spec.modality, made.anatomy or spec.anatomy, plane, made.view if not plane else "", sliced
    )
    return words.montage(name, len(tiles)) if tiles else name
