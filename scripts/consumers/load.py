"""Read one export with its consumer's own code: ``python scripts/consumers/load.py FORMAT FOLDER``.

Runs in an environment that has the consumers (``make consumers``), which is not medcurate's.  Prints the number of
rows and of pictures that the consumer got, as one line of JSON; fails where the consumer refuses anything.
"""

import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

Counts = tuple[int, int]
"""Rows, and pictures over all rows."""


def trl(folder: Path) -> Counts:
    """TRL: the loader of its SFT example, and the function that its collator fills pictures in with."""
    from datasets import load_dataset
    from trl.data_utils import prepare_multimodal_messages

    rows = pictures = 0
    for split in load_dataset(str(folder), cache_dir=tempfile.mkdtemp()).values():
        for row in split:
            filled = prepare_multimodal_messages(row["messages"], row["images"])
            parts = [part for turn in filled for part in turn["content"] if part["type"] == "image"]
            assert [part["image"] for part in parts] == row["images"]
            rows, pictures = rows + 1, pictures + len(parts)
    return rows, pictures


def llama_factory(folder: Path) -> Counts:
    """LLaMA-Factory: dataset_info.json, ShareGPT converter, and the check of a picture model's messages."""
    _without_sound()
    from llamafactory.data.loader import _load_single_dataset
    from llamafactory.data.mm_plugin import Qwen2VLPlugin
    from llamafactory.data.parser import get_dataset_list
    from llamafactory.hparams import DataArguments

    names = list(json.loads((folder / "dataset_info.json").read_text()))
    data = DataArguments(dataset_dir=str(folder), media_dir=str(folder), overwrite_cache=True)
    model = SimpleNamespace(cache_dir=tempfile.mkdtemp(), hf_hub_token=None)
    plugin = Qwen2VLPlugin(image_token="<|image_pad|>", video_token="<|video_pad|>", audio_token=None)
    rows = pictures = 0
    for attributes in get_dataset_list(names, str(folder)):
        for row in _load_single_dataset(attributes, model, data, SimpleNamespace(local_process_index=0)):
            turns = [*row["_prompt"], *row["_response"]]
            assert turns, "the converter found the roles of a row wrong and emptied it"
            images = row["_images"] or []
            plugin._validate_messages(turns, images, [], [])
            assert all(Path(image).is_file() for image in images)
            rows, pictures = rows + 1, pictures + len(images)
    return rows, pictures


def llava(folder: Path) -> Counts:
    """ms-swift, which takes LLaVA's JSON as it is: its own loader recognises and converts it."""
    os.chdir(folder)
    from swift.dataset import load_dataset

    rows = pictures = 0
    for path in sorted(folder.glob("*.json")):
        found, _ = load_dataset([str(path)], strict=True)
        for row in found:
            images = row["images"] or []
            assert sum(turn["content"].count("<image>") for turn in row["messages"]) == len(images)
            assert all(Path(image["path"]).is_file() for image in images)
            rows, pictures = rows + 1, pictures + len(images)
    return rows, pictures


def _without_sound() -> None:
    """LLaMA-Factory imports torchaudio for sounds, which no row has; it comes built for CUDA only."""
    audio = ModuleType("torchaudio")
    audio.__spec__ = ModuleSpec("torchaudio", None)
    sys.modules["torchaudio"] = audio


def qwen(folder: Path) -> Counts:
    """Qwen-VL: the function that opens the pictures of a list of messages."""
    from qwen_vl_utils import process_vision_info

    os.chdir(folder)
    rows = pictures = 0
    for item in _lines(folder):
        images, _ = process_vision_info(item["messages"])
        rows, pictures = rows + 1, pictures + len(images or [])
    return rows, pictures


def openai(folder: Path) -> Counts:
    """The request model of OpenAI's own client, and Qwen's reading of the pictures in data URLs."""
    from openai.types.chat import ChatCompletionMessageParam
    from pydantic import TypeAdapter
    from qwen_vl_utils import process_vision_info

    adapter = TypeAdapter(list[ChatCompletionMessageParam])
    rows = pictures = 0
    for item in _lines(folder):
        adapter.validate_python(item["messages"])
        images, _ = process_vision_info([_plain(turn) for turn in item["messages"]])
        rows, pictures = rows + 1, pictures + len(images or [])
    return rows, pictures


def _plain(turn: dict[str, Any]) -> dict[str, Any]:
    if isinstance(turn["content"], str):
        return turn
    parts = [
        {"type": "image", "image": part["image_url"]["url"]} if part["type"] == "image_url" else part
        for part in turn["content"]
    ]
    return {**turn, "content": parts}


def _lines(folder: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.glob("*.jsonl")):
        with path.open(encoding="utf-8") as file:
            yield from map(json.loads, file)


CONSUMERS: dict[str, Callable[[Path], Counts]] = {
    "trl": trl, "llama_factory": llama_factory, "llava": llava, "qwen": qwen, "openai": openai,
}  # fmt: skip


if __name__ == "__main__":
    rows, pictures = CONSUMERS[sys.argv[1]](Path(sys.argv[2]).absolute())
    print(json.dumps({"rows": rows, "pictures": pictures}))
