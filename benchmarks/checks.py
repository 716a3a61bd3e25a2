"""Precision and recall of the synthesis checks on the hand-labelled sets: ``python -m benchmarks.checks``."""

import argparse
import json
from pathlib import Path

from synthesis.checks import wording
from synthesis.checks.evaluate import Judge, Score, grounding_judge, score
from synthesis.checks.grounding import CHECKS
from synthesis.checks.same_answer import same_answer

LABELLED = Path(__file__).resolve().parent.parent / "tests" / "synthesis" / "labelled"
JUDGES: dict[str, Judge] = {
    "polarity": grounding_judge(["polarity"]),
    "laterality": grounding_judge(["laterality", "polarity"]),
    "count": grounding_judge(["count", "polarity"]),
    "size": grounding_judge(["size", "place", "laterality", "polarity"]),
    "held_out": grounding_judge(list(CHECKS)),
    "held_out_reports": grounding_judge(list(CHECKS)),
    "held_out_answers": grounding_judge(list(CHECKS)),
    "leak": lambda case, _: wording.leak(case.text),
    "refusal": lambda case, _: wording.refusal(case.text),
    "advice": lambda case, _: wording.advice(case.text),
    "held_out_leak": lambda case, _: wording.leak(case.text),
    "held_out_refusal": lambda case, _: wording.refusal(case.text),
    "held_out_advice": lambda case, _: wording.advice(case.text),
    "held_out_wording": lambda case, _: (
        wording.leak(case.text) or wording.refusal(case.text) or wording.advice(case.text)
    ),
    "residue": lambda case, _: wording.residue(case.text),
    "answer_in_question": lambda case, _: wording.gives_away(case.q, case.text),
    "same_answer": lambda case, _: not same_answer(case.text, case.q),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--wrong", action="store_true", help="also print every text that was misjudged")
    args = parser.parse_args()
    scores = {name: score(LABELLED / f"{name}.yaml", judge) for name, judge in JUDGES.items()}
    print("held_out_answers and held_out_wording were written after the last change of the checks: what to expect")
    print("the rules were worked out on the others; docs/synthesis.md has their figures at first sight")
    print(f"{'set':12} {'texts':>6} {'bad':>5} {'precision':>10} {'recall':>7}")
    for name, found in scores.items():
        total = found.hits + found.misses + found.false_alarms + found.passes
        bad = found.hits + found.misses
        print(f"{name:12} {total:6} {bad:5} {found.precision:10.3f} {found.recall:7.3f}")
        for text in found.wrong if args.wrong else ():
            print(f"{'':12} {text}")
    if args.json:
        args.json.write_text(json.dumps({name: _figures(found) for name, found in scores.items()}, indent=1))


def _figures(found: Score) -> dict[str, float]:
    return {"precision": round(found.precision, 4), "recall": round(found.recall, 4)}


if __name__ == "__main__":
    main()
