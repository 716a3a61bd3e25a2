"""Make of the tiny model one that costs as much as a larger one and says the same.  Run by vLLM's interpreter.

Its feed-forward layers are widened with random weights whose output is multiplied by zero, so every token is computed
at the price of the wider model and nothing changes in the answers.

Usage: ``python heavier_model.py TINY_MODEL NEW_FOLDER WIDTH``
"""

import json
import shutil
import sys
from pathlib import Path


def main(source: Path, target: Path, width: int) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    weights = load_file(source / "model.safetensors")
    draw = torch.Generator().manual_seed(0)
    for name, weight in weights.items():
        if ".mlp." not in name or "visual" in name:
            continue
        if name.endswith("down_proj.weight"):
            wider = torch.zeros(weight.shape[0], width)
            wider[:, : weight.shape[1]] = weight
        else:
            wider = torch.randn(width, weight.shape[1], generator=draw) / 100
            wider[: weight.shape[0]] = weight
        weights[name] = wider
    part = target.with_name(f"{target.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    shutil.copytree(source, part)
    save_file(weights, part / "model.safetensors", {"format": "pt"})
    config = json.loads((part / "config.json").read_text())
    config["text_config"]["intermediate_size"] = width
    (part / "config.json").write_text(json.dumps(config))
    part.rename(target)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
