"""A text-only answerer: multinomial naive Bayes over the words of a question, learned on train, asked on the rest."""

import re
from collections.abc import Sequence
from typing import Any

MOST_ROWS = 20_000
"""Rows of one dataset and task that are learned from, and that are asked about: the first by id."""
MOST_ANSWERS = 300
"""Different answers that are told apart, the commonest."""
SMOOTHING = 1.0


class TextModel:
    """Answers questions from their words alone.

    Args:
        questions: of the rows to learn from.
        answers: right ones.
    """

    def __init__(self, questions: Sequence[str], answers: Sequence[str]) -> None:
        import numpy as np
        from scipy.sparse import csr_matrix

        counts: dict[str, int] = {}
        for one in answers:
            counts[one] = counts.get(one, 0) + 1
        self._classes = sorted(counts, key=lambda one: (-counts[one], one))[:MOST_ANSWERS]
        self._index = {name: number for number, name in enumerate(self._classes)}
        known = [(words(question), self._index[one]) for question, one in zip(questions, answers, strict=True)
                 if one in self._index]  # fmt: skip
        self._vocabulary = {word: n for n, word in enumerate(sorted({word for said, _ in known for word in said}))}
        places = [(label, self._vocabulary[word]) for said, label in known for word in said]
        rows, columns = zip(*places, strict=True) if places else ((), ())
        shape = (len(self._classes), max(len(self._vocabulary), 1))
        seen = csr_matrix((np.ones(len(places)), (rows, columns)), shape=shape).toarray() + SMOOTHING
        self._words = np.log(seen / seen.sum(axis=1, keepdims=True))
        self._prior = np.log([counts[name] / len(answers) for name in self._classes])

    def answer(self, question: str, options: Sequence[str] = ()) -> str:
        """The likeliest answer, among ``options`` where there are any; empty where nothing was learned."""
        if not self._classes:
            return ""
        known = [self._vocabulary[word] for word in words(question) if word in self._vocabulary]
        scores: Any = self._prior + self._words[:, known].sum(axis=1)
        if not options:
            return self._classes[int(scores.argmax())]
        told = [one for one in options if one in self._index]
        return max(told, key=lambda one: (scores[self._index[one]], one)) if told else ""


def words(text: str) -> list[str]:
    """The different words of a text, without case."""
    return sorted(set(re.findall(r"\w+", text.lower())))
