"""Text corpora without pictures: inference, summaries, questions, mentions, relations; a few made-up records each."""

import csv
import io
import json
from pathlib import Path
from typing import Any

from flows.phantoms.canvas import save_text

Records = list[dict[str, Any]]

INFERENCE: Records = [
    {"id": "n1", "premise": "The lungs are clear.", "hypothesis": "There is no consolidation.", "gold": "entailment"},
    {"id": "n2", "premise": "The spleen is enlarged.", "hypothesis": "The spleen is of normal size.",
     "gold": "contradiction"},
    {"id": "n3", "premise": "A cyst lies in the left kidney.", "hypothesis": "The patient has a fever.",
     "gold": "neutral"},
    {"id": "n4", "premise": "Platelets are few.", "hypothesis": "The platelet count is low.", "gold": "entailment"},
    {"id": "n5", "premise": "No fracture is seen.", "hypothesis": "The radius is broken.", "gold": "contradiction"},
    {"id": "n6", "premise": "A nodule lies in the right lung.", "hypothesis": "The nodule is malignant.",
     "gold": "neutral"},
]  # fmt: skip

SUMMARIES: Records = [
    {"id": "s1", "document": "The heart is of normal size. Both lungs are clear. The costophrenic angles are sharp. "
     "No pneumothorax is seen.", "summary": "Normal chest film."},
    {"id": "s2", "document": "The liver measures 19 cm in the midclavicular line and is bright. Its vessels are "
     "hard to see. The gallbladder holds no stones.", "summary": "Enlarged fatty liver without gallstones."},
    {"id": "s3", "document": "A lesion of 12 mm lies in the right upper lobe. It has spiculated margins. No lymph node "
     "is enlarged.", "summary": "Spiculated lesion of 12 mm in the right upper lobe, nodes normal."},
    {"id": "s4", "document": "The left kidney holds a thin-walled cyst of 3 cm. The right kidney is normal. No stone "
     "is seen on either side.", "summary": "Simple cyst of the left kidney."},
]  # fmt: skip

ANSWERS: Records = [
    {"id": "q1", "abstract": "Of 40 patients with pneumonia, 30 had an effusion on the film.",
     "question": "How many patients had an effusion?", "answer": "30"},
    {"id": "q2", "abstract": "Ultrasound found the appendix in nine of ten children.",
     "question": "Which examination was done?", "answer": "ultrasound"},
    {"id": "q3", "abstract": "The tumour enhanced after contrast and had a central necrosis.",
     "question": "Did the tumour enhance after contrast?", "answer": "yes"},
    {"id": "q4", "abstract": "The cyst had not grown after two years.",
     "question": "Had the cyst grown?", "answer": "no"},
]  # fmt: skip

_SENTENCES = (
    ("e1", "Amoxicillin was given for pneumonia of the right lung.",
     {"drug": ["amoxicillin"], "disease": ["pneumonia"], "organ": ["right lung"]}),
    ("e2", "The spleen is enlarged by lymphoma.", {"disease": ["lymphoma"], "organ": ["spleen"]}),
    ("e3", "Ibuprofen and paracetamol did not ease the headache.", {"drug": ["ibuprofen", "paracetamol"],
                                                                   "disease": ["headache"]}),
    ("e4", "A cyst and a stone lie in the left kidney.", {"disease": ["cyst", "stone"], "organ": ["left kidney"]}),
)  # fmt: skip
MENTIONS: Records = [
    {"id": key, "text": text, "kind": kind, "found": "; ".join(found)}
    for key, text, kinds in _SENTENCES
    for kind, found in kinds.items()
]

RELATIONS: Records = [
    {"id": "r1", "text": "Amoxicillin was given for pneumonia of the right lung.", "kind": "treats",
     "found": "amoxicillin -> pneumonia"},
    {"id": "r1", "text": "Amoxicillin was given for pneumonia of the right lung.", "kind": "located in",
     "found": "pneumonia -> right lung"},
    {"id": "r2", "text": "The spleen is enlarged by lymphoma.", "kind": "located in", "found": "lymphoma -> spleen"},
    {"id": "r3", "text": "A cyst and a stone lie in the left kidney.", "kind": "located in",
     "found": "cyst -> left kidney; stone -> left kidney"},
]  # fmt: skip


def corpora(folder: Path) -> dict[str, Any]:
    """``inference.jsonl``, ``summaries.csv``, ``answers.jsonl``, ``mentions.jsonl`` and ``relations.jsonl``.

    Mentions and relations are one record for each text and type, as corpora with annotated spans are flattened.

    Returns:
        Number of records by file.
    """
    written = {"inference": INFERENCE, "answers": ANSWERS, "mentions": MENTIONS, "relations": RELATIONS}
    for name, records in written.items():
        save_text(folder / f"{name}.jsonl", "".join(json.dumps(record) + "\n" for record in records))
    table = io.StringIO()
    writer = csv.DictWriter(table, ["id", "document", "summary"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(SUMMARIES)
    save_text(folder / "summaries.csv", table.getvalue())
    return {name: len(records) for name, records in written.items()} | {"summaries": len(SUMMARIES)}
