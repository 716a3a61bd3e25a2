"""Snippets of the user's own texts that bear on a case, found by words (BM25) or by meaning (embeddings)."""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from schemas import identity
from schemas.case import Case
from schemas.errors import UserError
from schemas.spec import DatasetSpec, Strict

LONGEST = 1200
"""Characters of one snippet; longer paragraphs are cut at a sentence."""
SHORTEST = 20
"""Shorter paragraphs are headings and the like."""
BATCH = 64
"""Texts per request for embeddings."""


class KnowledgeOptions(Strict):
    """``knowledge`` of a task: where to look and how."""

    corpus: str
    """Folder of .txt, .md and .jsonl (``id``, ``text``) files, or one such file."""
    method: Literal["bm25", "embeddings"] = "bm25"
    top: int = Field(default=3, ge=1, le=20)
    """Snippets per case."""
    base_url: str = ""
    """Server of the OpenAI embeddings protocol, without ``/v1``; for ``embeddings``."""
    model: str = ""
    """The embedding model that it serves."""
    api_key_env: str = "OPENAI_API_KEY"
    cache: str = ""
    """Folder for the vectors of the corpus; ``medcurate/embeddings`` in the user's cache folder where empty."""


@dataclass(frozen=True, slots=True)
class Snippet:
    """One paragraph."""

    id: str
    """``<file>#<number of the paragraph, from 1>``, or ``<file>#<id>`` of a JSON line."""
    text: str


class Knowledge:
    """A corpus that is indexed once per process."""

    def __init__(self, options: KnowledgeOptions) -> None:
        """Read and index.

        Raises:
            UserError: no corpus there, nothing in it, or no server that embeds.
        """
        if options.method == "embeddings" and not (options.base_url and options.model):
            raise UserError("knowledge: method 'embeddings' needs base_url and model")
        self._options = options
        self.snippets = tuple(read_corpus(Path(options.corpus)))
        if not self.snippets:
            raise UserError(f"{options.corpus}: there is no text in it that could be looked up")
        self._index = _Words(self.snippets) if options.method == "bm25" else _Meanings(self.snippets, options)
        self._search = lru_cache(maxsize=4096)(self._index.search)

    def find(self, query: str) -> tuple[Snippet, ...]:
        """The snippets that fit best, best first; none where nothing fits at all."""
        return tuple(self.snippets[number] for number in self._search(query, self._options.top))


@cache
def _opened(options: str) -> Knowledge:
    return Knowledge(KnowledgeOptions.model_validate_json(options))


def open_knowledge(options: KnowledgeOptions) -> Knowledge:
    """This process's index of a corpus."""
    return _opened(options.model_dump_json())


def query_of(case: Case, spec: DatasetSpec) -> str:
    """What a case is looked up by: its findings, and what kind of picture of what it is."""
    names = [label.name for label in case.labels if label.polarity != "absent"]
    names += [region.label for region in case.regions]
    made = case.acquisition
    where = [made.modality or spec.modality, made.anatomy or spec.anatomy]
    return " ".join(dict.fromkeys([*names, *where]))


def read_corpus(path: Path) -> Iterator[Snippet]:
    """Every paragraph of the texts at ``path``, files in the order of their names; `UserError` where there are none."""
    if not path.exists():
        raise UserError(f"{path}: there is no such corpus")
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.suffix in (".txt", ".md", ".jsonl"))
    for file in files:
        name = file.name if path.is_file() else file.relative_to(path).as_posix()
        yield from _lines(file, name) if file.suffix == ".jsonl" else _paragraphs(file, name)


def _paragraphs(file: Path, name: str) -> Iterator[Snippet]:
    pieces = file.read_text(encoding="utf-8", errors="replace").split("\n\n")
    for number, piece in enumerate(pieces, 1):
        text = " ".join(piece.split())
        if len(text) >= SHORTEST:
            yield Snippet(f"{name}#{number}", _cut(text))


def _lines(file: Path, name: str) -> Iterator[Snippet]:
    with file.open(encoding="utf-8") as opened:
        for number, line in enumerate(opened, 1):
            if line.strip():
                try:
                    record = json.loads(line)
                    text = " ".join(str(record["text"]).split())
                except (ValueError, KeyError, TypeError):
                    raise UserError(f"{file}: line {number} is no JSON object with a text") from None
                yield Snippet(f"{name}#{record.get('id', number)}", _cut(text))


def _cut(text: str) -> str:
    if len(text) <= LONGEST:
        return text
    return text[: text.rfind(". ", 0, LONGEST) + 1] or text[:LONGEST]


class _Words:
    """BM25 over lower-case words."""

    def __init__(self, snippets: Sequence[Snippet]) -> None:
        import bm25s

        self._index: Any = bm25s.BM25()
        self._index.index(self._tokens([one.text for one in snippets]), show_progress=False)

    @staticmethod
    def _tokens(texts: Sequence[str]) -> Any:
        import bm25s

        tokenize: Any = bm25s.tokenize
        return tokenize(list(texts), stopwords="en", return_ids=False, show_progress=False)

    def search(self, query: str, top: int) -> tuple[int, ...]:
        """Numbers of the snippets that share words with the query, equal scores in their own order."""
        import numpy as np

        known = [word for word in self._tokens([query])[0] if word in self._index.vocab_dict]
        if not known:
            return ()
        scores = self._index.get_scores(known)
        least = np.partition(scores, -top)[-top] if top < len(scores) else 0.0
        best = [int(number) for number in np.flatnonzero((scores >= least) & (scores > 0))]
        return tuple(sorted(best, key=lambda number: (-float(scores[number]), number))[:top])


class _Meanings:
    """Cosine between the embeddings that a server gives."""

    def __init__(self, snippets: Sequence[Snippet], options: KnowledgeOptions) -> None:
        import openai

        key = os.environ.get(options.api_key_env) or "none"
        self._client = openai.OpenAI(base_url=options.base_url.rstrip("/") + "/v1", api_key=key)
        self._options = options
        self._vectors = self._stored([one.text for one in snippets])

    def search(self, query: str, top: int) -> tuple[int, ...]:
        """Numbers of the nearest snippets."""
        import numpy as np

        near = self._vectors @ self._embedded([query])[0]
        return tuple(int(number) for number in np.argsort(-near, kind="stable")[:top])

    def _stored(self, texts: Sequence[str]) -> Any:
        import numpy as np

        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "medcurate" / "embeddings"
        folder = Path(self._options.cache) if self._options.cache else base
        path = folder / f"{identity.digest('embeddings', self._options.model, *texts)}.npy"
        if path.exists():
            return np.load(path)
        vectors = np.concatenate([self._embedded(texts[at : at + BATCH]) for at in range(0, len(texts), BATCH)])
        folder.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}.part.npy")
        np.save(part, vectors)
        part.replace(path)
        return vectors

    def _embedded(self, texts: Sequence[str]) -> Any:
        """Unit vectors, (texts, dimensions) float32; `UserError` where the server does not give them."""
        import numpy as np
        import openai

        try:
            reply = self._client.embeddings.create(
                input=list(texts), model=self._options.model, encoding_format="float"
            )
        except openai.OpenAIError as error:
            name = type(error).__name__
            raise UserError(f"{self._options.base_url}: no embeddings from {self._options.model} ({name})") from None
        vectors = np.array([one.embedding for one in sorted(reply.data, key=lambda one: one.index)], dtype=np.float32)
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
