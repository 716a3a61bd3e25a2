"""Precision and recall of the synthesis checks on the hand-labelled sets: ``python -m benchmarks.checks``."""

import argparse
import json
from pathlib import Path

from synthesis.checks import wording
from synthesis.checks.evaluate import Judge, Labelled, Score, grounding_judge, score
from synthesis.checks.grounding import CHECKS
from synthesis.checks.same_answer import same_answer
from synthesis.checks.vocabulary import Vocabulary

LABELLED = Path(__file__).resolve().parent.parent / "tests" / "synthesis" / "labelled"


def leak(case: Labelled, _: Vocabulary) -> bool:
    """Whether the text betrays the reference."""
    return wording.leak(case.text)


def refusal(case: Labelled, _: Vocabulary) -> bool:
    """Whether the text declines."""
    return wording.refusal(case.text)


def advice(case: Labelled, _: Vocabulary) -> bool:
    """Whether the text treats or recommends."""
    return wording.advice(case.text)


def any_wording(case: Labelled, vocabulary: Vocabulary) -> bool:
    """Whether it does one of these."""
    return leak(case, vocabulary) or refusal(case, vocabulary) or advice(case, vocabulary)


ALL = grounding_judge(list(CHECKS))
HELD_OUT: dict[str, Judge] = {
    "unseen_grounding": ALL,
    "final_grounding": ALL,
    "audit_after": ALL,
    "unseen_leak": leak,
    "unseen_refusal": refusal,
    "unseen_advice": advice,
    "final_wording": any_wording,
}
"""Never used to change a rule; measured before and after the rules were changed."""
WORKED_ON: dict[str, Judge] = {
    "polarity": grounding_judge(["polarity"]),
    "laterality": grounding_judge(["laterality", "polarity"]),
    "count": grounding_judge(["count", "polarity"]),
    "size": grounding_judge(["size", "place", "laterality", "polarity"]),
    "held_out": ALL,
    "held_out_reports": ALL,
    "held_out_answers": ALL,
    "phrased_grounding": ALL,
    "last_grounding": ALL,
    "audit_grounding": ALL,
    "leak": leak,
    "refusal": refusal,
    "advice": advice,
    "held_out_leak": leak,
    "held_out_refusal": refusal,
    "held_out_advice": advice,
    "phrased_leak": leak,
    "phrased_refusal": refusal,
    "phrased_advice": advice,
    "held_out_wording": any_wording,
    "last_wording": any_wording,
    "residue": lambda case, _: wording.residue(case.text),
    "answer_in_question": lambda case, _: wording.gives_away(case.q, case.text),
    "same_answer": lambda case, _: not same_answer(case.text, case.q),
}
"""The rules were made on these; some were held out once, and docs/synthesis.md has their figures at first sight."""
JUDGES = {**HELD_OUT, **WORKED_ON}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--wrong", action="store_true", help="also print the misjudged texts of the sets worked on")
    args = parser.parse_args()
    scores = {name: score(LABELLED / f"{name}.yaml", judge) for name, judge in JUDGES.items()}
    print(f"{'held out':18} {'texts':>6} {'bad':>5} {'precision':>10} {'recall':>7}   what to expect of other texts")
    for name, found in scores.items():
        if name == next(iter(WORKED_ON)):
            print("worked on, which says only that the rules do what they were made for")
        bad = found.hits + found.misses
        total = bad + found.false_alarms + found.passes
        print(f"{name:18} {total:6} {bad:5} {found.precision:10.3f} {found.recall:7.3f}")
        for text in found.wrong if args.wrong and name in WORKED_ON else ():
            print(f"{'':18} {text}")
    if args.json:
        args.json.write_text(json.dumps({name: _figures(found) for name, found in scores.items()}, indent=1))


def _figures(found: Score) -> dict[str, float]:
    return {"precision": round(found.precision, 4), "recall": round(found.recall, 4)}


if __name__ == "__main__":
    main()
