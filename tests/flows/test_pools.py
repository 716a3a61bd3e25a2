"""Distractors for regions come from datasets of the same modality and task, and from no others."""

from pathlib import Path

import yaml

from flows.pools import pool_of, with_pools
from schemas.recipe import Choice, Recipe
from schemas.spec import load_spec

FACTS = {
    "license": "CC0-1.0", "access": "open", "title": "t", "reader": {"type": "mask_pairs"}, "modality": "CT",
    "anatomy": "abdomen", "clinical_task": "organ segmentation",
}  # fmt: skip


def described(folder: Path, name: str, labels: list[str], **more) -> Path:
    path = folder / f"{name}.yaml"
    facts = FACTS | {"name": name, "labels": {word: word for word in labels}, "root": str(folder)} | more
    path.write_text(yaml.safe_dump(facts))
    return path


def test_the_rule(tmp_path):
    paths = [
        described(tmp_path, "own", ["liver", "spleen"]),
        described(tmp_path, "same", ["pancreas", "liver"]),
        described(tmp_path, "other_modality", ["prostate"], modality="MRI"),
        described(tmp_path, "other_task", ["lymph node"], clinical_task="lesion segmentation"),
        described(tmp_path, "whole_pictures", ["pneumonia"], label_kind="multi_class"),
    ]
    own, *others = map(load_spec, paths)
    assert pool_of(own, others) == ["pancreas"]
    recipe = Recipe.model_validate({
        "name": "r", "version": "1", "store": str(tmp_path),
        "datasets": [{"spec": str(path)} for path in paths],
        "converters": [{"type": "marked_region"}, {"type": "caption"}],
    })  # fmt: skip
    filled = with_pools(recipe.converters, own, recipe)
    assert [choice.options for choice in filled] == [{"pool": ["pancreas"]}, {}]
    told = [Choice(type="marked_region", options={"pool": []})]
    assert with_pools(told, own, recipe) == told
