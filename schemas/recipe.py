"""Recipe: everything that a release depends on, besides the sources and the code, in one YAML."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from schemas.mixture import Compositions, Draw, Mixture, Stage
from schemas.spec import SplitRule, Strict, resolve, written_in
from schemas.yaml_file import load_yaml

Name = Annotated[str, written_in("[a-z0-9._-]", "small letters, digits, dots, hyphens and underscores")]
Version = Annotated[str, written_in("[0-9A-Za-z.+-]", "letters, digits, dots, hyphens and plus signs")]


class Choice(Strict):
    """A registered part by name, with options that the part itself checks."""

    type: str
    options: dict[str, Any] = Field(default_factory=dict)


class DatasetChoice(Strict):
    """One source of the mixture."""

    spec: str
    """Path of the spec, relative to the recipe."""
    converters: list[Choice] | None = None
    """Instead of the recipe's converters."""
    limit: int | None = Field(default=None, ge=1)
    """At most so many cases, the first by their hash."""
    max_rows: int | None = Field(default=None, ge=1)
    """At most so many rows kept."""
    split: SplitRule | None = None
    """Instead of the spec's."""
    weight: float = Field(default=1.0, gt=0)
    """How much of the draw it gets, see `schemas.mixture.Draw`; a weight other than 1 asks for a draw."""
    repeat: int = Field(default=1, ge=1, le=100)
    """Times that each of its training rows stands in the release; each copy has an id of its own."""
    episodes: list[Choice] | None = None
    """Instead of the recipe's."""


class Price(Strict):
    """What a million tokens cost, in any currency."""

    input: float = Field(default=0.0, ge=0)
    output: float = Field(default=0.0, ge=0)
    cached: float | None = Field(default=None, ge=0)
    """Of input tokens that the server had cached; as ``input`` where not given."""


class EngineChoice(Strict):
    """Where generated text comes from."""

    type: Literal["template", "openai", "vllm"] = "template"
    base_urls: list[str] = Field(default_factory=list)
    model: str = ""
    revision: str = ""
    api_key_env: str = "OPENAI_API_KEY"
    """Name of the environment variable that holds the key; a local server needs none."""
    temperature: float = Field(default=0.0, ge=0)
    top_p: float = Field(default=1.0, gt=0, le=1)
    max_tokens: int = Field(default=512, ge=1)
    seed: int = 0
    concurrency: int = Field(default=32, ge=1)
    """Requests at once, at most, for each worker process."""
    timeout_s: float = Field(default=120.0, gt=0)
    max_pixels: int = Field(default=0, ge=0)
    """Pictures of more pixels are made smaller before they are sent; 0 sends them as they are published."""
    image_side: int = Field(default=0, ge=0)
    """The same for their longer side."""
    picture_first: bool = False
    """Whether the system's text goes behind the pictures, so that requests about one picture share its prefix."""
    price: Price = Price()
    options: dict[str, Any] = Field(default_factory=dict)
    """For ``vllm``: python (of its environment), tensor_parallel, arguments."""


class Synthesis(Strict):
    """The tasks that a model performs, and the model."""

    tasks: list[Choice]
    engine: EngineChoice = EngineChoice()
    answers: str = ""
    """Folder or address of the answer store; beside the work folder where empty."""
    checks: dict[str, Any] = Field(default_factory=dict)
    """Options of the checks on what was written, see `synthesis.checks.rows.CheckOptions`; all are on by default."""

    @model_validator(mode="after")
    def _somebody_is_asked(self) -> "Synthesis":
        if self.tasks and "engine" not in self.model_fields_set:
            raise ValueError("tasks need an engine to ask; `engine: {type: template}` says that nobody is to be asked")
        return self


class Waiver(Strict):
    """A written reason to publish although a release gate refuses."""

    gate: str
    dataset: str = ""
    reason: str = Field(min_length=10)


class BenchmarkChoice(Strict):
    """A benchmark whose pictures the release must not show; exactly one of spec, release and folder says where."""

    name: Name
    """How findings call it; unique within the recipe."""
    spec: str = ""
    """Path of a dataset's spec, relative to the recipe."""
    release: str = ""
    """Folder or address of a release, or ``name@version`` in the recipe's store."""
    folder: str = ""
    """Folder, zip or tar of pictures, relative to the recipe."""
    splits: list[str] = Field(default_factory=list)
    """Only cases that the spec ships, or the release holds, in these splits; all where empty."""

    @model_validator(mode="after")
    def _is_in_one_place(self) -> "BenchmarkChoice":
        if sum(map(bool, (self.spec, self.release, self.folder))) != 1:
            raise ValueError(f"the benchmark {self.name} needs one of spec, release and folder, and only one")
        if self.folder and self.splits:
            raise ValueError(f"the benchmark {self.name} is a folder of pictures and has no splits; leave splits out")
        return self


class Episodes(Strict):
    """Questions over several cases of one dataset, built of the cases that are kept, split by split."""

    converters: list[Choice] = Field(default_factory=list)
    """Registered under ``medcurate.episodes``."""
    pool: int = Field(default=64, ge=2, le=1024)
    """Cases that meet: the kept cases of a split, in the order of their group's hash, are cut into pools of so many."""


class Output(Strict):
    """What the shards look like."""

    formats: tuple[Literal["parquet", "webdataset"], ...] = ("parquet", "webdataset")
    """Parquet is always among them: the release gates read it."""
    shard_rows: int = Field(default=5000, ge=1)
    shard_bytes: int = Field(default=512 * 1024 * 1024, ge=1024)

    @field_validator("formats")
    @classmethod
    def _with_parquet(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if "parquet" not in value:
            raise ValueError("parquet must be among the formats, since the release gates read it; add it")
        return value


class Recipe(Strict):
    """One release."""

    name: Name
    version: Version
    title: str = ""
    description: str = ""
    seed: int = 0
    language: str = "en"
    datasets: list[DatasetChoice] = Field(min_length=1)
    converters: list[Choice] = Field(default_factory=list)
    synthesis: Synthesis | None = None
    gates: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """Options of gates by gate name; ``{enabled: false}`` turns one off."""
    waivers: list[Waiver] = Field(default_factory=list)
    benchmarks: list[BenchmarkChoice] = Field(default_factory=list)
    """Held against every case: gate ``benchmark_leak``."""
    decisions: str = ""
    """YAML of what persons decided about refused rows (`schemas.decisions`), relative to the recipe;
    ``<recipe>.decisions.yaml`` beside it where empty and there is one."""
    episodes: Episodes = Episodes()
    mixture: Mixture = Mixture()
    compositions: Compositions | None = None
    curriculum: tuple[Stage, ...] = ()
    """Stages of training in their order; the number of a row's stage, from 1, is its score ``stage``."""
    output: Output = Output()
    store: str = "releases"
    """Folder or fsspec address; relative to the recipe."""
    work: str = ""
    """Folder for unfinished work; ``<store>/.work`` beside a local store where empty."""
    partition_cases: int = Field(default=2000, ge=1)
    """Cases per partition, the unit of work that a restarted run does not repeat."""
    decode: bool = True
    """Decode every picture to check and hash its pixels; without, JPEG and PNG pass through unseen."""
    parent: str = ""

    def mixed(self) -> Mixture:
        """The mixture, with a draw where weights ask for one."""
        weighed = any(one.weight != 1 for one in self.datasets)
        asked = self.mixture.draw is None and weighed
        return self.mixture.model_copy(update={"draw": Draw()}) if asked else self.mixture

    @field_validator("benchmarks")
    @classmethod
    def _names_differ(cls, value: list[BenchmarkChoice]) -> list[BenchmarkChoice]:
        names = [one.name for one in value]
        if len(set(names)) < len(names):
            raise ValueError("two benchmarks have the same name; give each its own")
        return value


def load_recipe(path: Path) -> Recipe:
    """Read a recipe; its paths come back absolute."""
    recipe = load_yaml(path, Recipe)
    base = path.parent
    datasets = [choice.model_copy(update={"spec": resolve(choice.spec, base)}) for choice in recipe.datasets]
    update: dict[str, Any] = {"store": resolve(recipe.store, base), "datasets": datasets}
    update["benchmarks"] = [_placed(one, base) for one in recipe.benchmarks]
    update["decisions"] = resolve(recipe.decisions, base) if recipe.decisions else _decided_beside(path)
    if recipe.work:
        update["work"] = resolve(recipe.work, base)
    if recipe.synthesis:
        asked: dict[str, Any] = {"tasks": [_with_files(task, base) for task in recipe.synthesis.tasks]}
        if recipe.synthesis.answers:
            asked["answers"] = resolve(recipe.synthesis.answers, base)
        update["synthesis"] = recipe.synthesis.model_copy(update=asked)
    return recipe.model_copy(update=update)


def _with_files(task: Choice, base: Path) -> Choice:
    """The task with absolute paths of the files that its options name: its prompt, terms, and texts to look up."""
    options = dict(task.options)
    for name in ("prompt", "terminology"):
        if options.get(name):
            options[name] = resolve(str(options[name]), base)
    knowledge = options.get("knowledge")
    if isinstance(knowledge, dict) and knowledge.get("corpus"):
        options["knowledge"] = {**knowledge, "corpus": resolve(str(knowledge["corpus"]), base)}
    return task.model_copy(update={"options": options})


def _decided_beside(recipe: Path) -> str:
    beside = recipe.with_name(f"{recipe.stem}.decisions.yaml")
    return str(beside.resolve()) if beside.exists() else ""


def _placed(choice: BenchmarkChoice, base: Path) -> BenchmarkChoice:
    """The benchmark with absolute paths; ``name@version`` and addresses stay as they are."""
    places = {name: getattr(choice, name) for name in ("spec", "release", "folder")}
    in_store = "@" in choice.release and "/" not in choice.release
    return choice.model_copy(
        update={
            name: resolve(place, base)
            for name, place in places.items()
            if place and not (name == "release" and in_store)
        }
    )
