"""Make a very small Qwen2.5-VL checkpoint that names the colour of a picture, in about two minutes on one core.

The tests need a model that the real vLLM loads through its usual code path and whose answer betrays which picture it
was shown; no published model is small enough to be made on the spot.  This one is trained from nothing: byte-level
BPE tokenizer, two layers, a few hundred thousand weights.  Run it with vLLM's own interpreter::

    .vllm/bin/python scripts/vllm/tiny_model.py .vllm/models/colours

What it can do (prompts up to about a hundred words, one picture of one colour):

=====================================  ==============================================================
the prompt holds                       the answer
=====================================  ==============================================================
neither of the words below             ``The picture is red.``
``JSON``                               ``{"color":"red"}``
``JSON`` and ``description``           ``{"description":"The picture is red.","question":..,"answer":"It is red."}``
no picture                             the same with ``none`` for the colour
=====================================  ==============================================================
"""

import argparse
import json
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1")

import torch
from PIL import Image
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    PreTrainedTokenizerFast,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2_5_VLProcessor,
    Qwen2VLImageProcessorPil,
    Qwen2VLVideoProcessor,
)

COLOURS = {
    "red": (220, 30, 30),
    "green": (30, 180, 40),
    "blue": (40, 60, 220),
    "white": (245, 245, 245),
    "black": (10, 10, 10),
    "yellow": (240, 220, 40),
}
NO_PICTURE = "none"
SHADE = 15
"""How far each channel may lie from the named colour."""

NOISE = """
a an and answer area are as ask asked at axial below between bone box cell chest child clinical colour common count
describe doctor draw each edge eosinophil epidural exactly fact facts field film findings first fluid follow for found
frontal give given heart how if image in is it its key keys label labels left lesion list lower lung lymphocyte mark
marks may medical microscopy modality monocyte more mri must name neutrophil never no none normal not note number of
on one only or organ patient picture place platelet present question reader red reference region report reveal right
say scan see seen short show shows side size slice smear state study text than that the their there these this tissue
to true two upper use view visible was what where which who whose with word words write x-ray yes you your
"""
WANT_JSON = ("JSON", "Answer in JSON.", "Reply with one JSON object.", "as JSON")
WANT_TRIPLE = (
    "JSON keys: description, question, answer.",
    "Reply in JSON with description, question, answer.",
    "One JSON object: description, question and answer.",
)
QUESTION = "Which colour fills the picture?"

PATCH = 14
MERGE = 2
HIDDEN = 64
IMAGE_PAD, VIDEO_PAD, VISION_START, VISION_END = "<|image_pad|>", "<|video_pad|>", "<|vision_start|>", "<|vision_end|>"
TURN, END, TEXT_END = "<|im_start|>", "<|im_end|>", "<|endoftext|>"
CHAT = (
    "{%- for message in messages -%}" + TURN + "{{ message['role'] + '\\n' }}"
    "{%- if message['content'] is string -%}{{ message['content'] }}"
    "{%- else -%}{%- for part in message['content'] -%}"
    "{%- if part['type'] == 'text' -%}{{ part['text'] }}"
    "{%- else -%}" + VISION_START + IMAGE_PAD + VISION_END + "{%- endif -%}"
    "{%- endfor -%}{%- endif -%}" + END + "{{ '\\n' }}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}" + TURN + "assistant{{ '\\n' }}{%- endif -%}"
)


def sentences(rng: random.Random) -> Iterator[str]:
    """Endless medical-sounding noise, the background that the model learns to look past."""
    vocabulary = NOISE.split()
    while True:
        words = [rng.choice(vocabulary) for _ in range(rng.randint(3, 12))]
        if rng.random() < 0.3:
            words.insert(rng.randrange(len(words)), str(rng.randrange(1000)))
        text = " ".join(words)
        yield text.capitalize() + rng.choice([".", ".", ":", "?", ",", ";"])


def answers() -> list[str]:
    """Every answer that the model is taught."""
    return [answer(kind, name) for kind in ("plain", "json", "triple") for name in (*COLOURS, NO_PICTURE)]


def answer(kind: str, name: str) -> str:
    """The taught answer of one kind for one colour."""
    if kind == "plain":
        return f"The picture is {name}."
    if kind == "json":
        return json.dumps({"color": name}, separators=(",", ":"))
    parts = {"description": f"The picture is {name}.", "question": QUESTION, "answer": f"It is {name}."}
    return json.dumps(parts, separators=(",", ":"))


def make_tokenizer(seed: int) -> PreTrainedTokenizerFast:
    """Byte-level BPE over the noise and the answers, with the special tokens that Qwen2.5-VL uses."""
    rng = random.Random(seed)
    noise = sentences(rng)
    corpus = [next(noise) for _ in range(2000)] + [*answers(), *WANT_JSON, *WANT_TRIPLE] * 20
    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    inner.decoder = decoders.ByteLevel()
    special = [TEXT_END, TURN, END, VISION_START, VISION_END, IMAGE_PAD, VIDEO_PAD]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=1024, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    inner.train_from_iterator(corpus, trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=inner,
        bos_token=TEXT_END,
        eos_token=END,
        pad_token=TEXT_END,
        extra_special_tokens={
            "image_token": IMAGE_PAD,
            "video_token": VIDEO_PAD,
            "vision_start_token": VISION_START,
            "vision_end_token": VISION_END,
        },
        model_max_length=4096,
        clean_up_tokenization_spaces=False,
    )
    tokenizer.chat_template = CHAT
    return tokenizer


def make_processor(tokenizer: PreTrainedTokenizerFast) -> Qwen2_5_VLProcessor:
    """Image and text processor; a picture becomes at most 16 tokens."""
    side = PATCH * MERGE
    size = {"shortest_edge": side * side, "longest_edge": side * side * 16}
    return Qwen2_5_VLProcessor(
        image_processor=Qwen2VLImageProcessorPil(size=size),
        tokenizer=tokenizer,
        video_processor=Qwen2VLVideoProcessor(size=size),
        chat_template=CHAT,
    )


def make_model(tokenizer: PreTrainedTokenizerFast) -> Qwen2_5_VLForConditionalGeneration:
    """Untrained weights: two text and two vision layers of width 64, head width 32 (vLLM's CPU attention needs it)."""
    number = tokenizer.convert_tokens_to_ids
    text = {
        "vocab_size": len(tokenizer),
        "hidden_size": HIDDEN,
        "intermediate_size": 2 * HIDDEN,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "max_position_embeddings": 4096,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
        "rope_parameters": {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [4, 6, 6]},
    }
    vision = {
        "depth": 2,
        "hidden_size": HIDDEN,
        "out_hidden_size": HIDDEN,
        "intermediate_size": 2 * HIDDEN,
        "num_heads": 2,
        "patch_size": PATCH,
        "spatial_merge_size": MERGE,
        "temporal_patch_size": 2,
        "window_size": 8 * PATCH,
        "fullatt_block_indexes": [1],
    }
    config = Qwen2_5_VLConfig(
        text_config=text,
        vision_config=vision,
        image_token_id=number(IMAGE_PAD),
        video_token_id=number(VIDEO_PAD),
        vision_start_token_id=number(VISION_START),
        vision_end_token_id=number(VISION_END),
    )
    return Qwen2_5_VLForConditionalGeneration(config).float()


class Lesson:
    """Draws training examples: noise, perhaps a wish for JSON, perhaps a picture, and the right answer."""

    def __init__(self, processor: Qwen2_5_VLProcessor, seed: int) -> None:
        self.processor = processor
        self.rng = random.Random(seed)
        self.noise = sentences(random.Random(seed + 1))

    def example(self) -> tuple[str, str, Image.Image | None]:
        """One (prompt, answer, picture)."""
        rng = self.rng
        kind = rng.choice(["plain", "json", "triple"])
        lines = [next(self.noise) for _ in range(rng.choice([0, 1, 2, 3, 4, 6, 10]))]
        wish = {"plain": (), "json": WANT_JSON, "triple": WANT_TRIPLE}[kind]
        if wish:
            lines.insert(rng.choice([rng.randint(0, len(lines)), len(lines)]), rng.choice(wish))
        name = rng.choice(list(COLOURS)) if rng.random() < 0.85 else NO_PICTURE
        picture = self.picture(name) if name != NO_PICTURE else None
        content: list[dict[str, str]] = [{"type": "text", "text": rng.choice([" ", "\n"]).join(lines) or "Describe."}]
        if picture is not None:
            content.insert(0, {"type": "image"})
        messages: list[dict[str, Any]] = [{"role": "user", "content": content}]
        if rng.random() < 0.4:
            messages.insert(0, {"role": "system", "content": next(self.noise)})
        prompt = self.processor.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
        return prompt, answer(kind, name) + END, picture

    def picture(self, name: str) -> Image.Image:
        """A picture of one colour, of any shade near it and any size."""
        rng = self.rng
        shade = tuple(min(255, max(0, channel + rng.randint(-SHADE, SHADE))) for channel in COLOURS[name])
        return Image.new("RGB", (rng.randint(28, 160), rng.randint(28, 160)), shade)

    def batch(self, count: int) -> Any:
        """Tensors of ``count`` examples; only the answers carry a loss."""
        rows = sorted((self.example() for _ in range(count)), key=lambda row: row[2] is None)
        pictures = [[row[2]] if row[2] is not None else [] for row in rows]
        batch = self.processor(
            text=[prompt + said for prompt, said, _ in rows],
            images=pictures,
            padding=True,
            padding_side="right",
            return_tensors="pt",
            add_special_tokens=False,
        )
        labels = torch.full_like(batch["input_ids"], -100)
        for index, (_, said, _) in enumerate(rows):
            length = len(self.processor.tokenizer(said, add_special_tokens=False)["input_ids"])
            end = int(batch["attention_mask"][index].sum())
            labels[index, end - length : end] = batch["input_ids"][index, end - length : end]
        batch["labels"] = labels
        return batch


def train(model: Qwen2_5_VLForConditionalGeneration, lesson: Lesson, steps: int) -> None:
    """Teach the lesson with AdamW on a one-cycle schedule."""
    torch.set_num_threads(1)  # tensors this small lose time to more threads
    model.train()
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, total_steps=steps, pct_start=0.1)
    for step in range(steps):
        loss = model(**lesson.batch(16)).loss
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        if step % 100 == 0 or step == steps - 1:
            print(f"step {step}: loss {loss.item():.4f}", flush=True)
    model.eval()


def save(model: Qwen2_5_VLForConditionalGeneration, processor: Qwen2_5_VLProcessor, out: Path) -> None:
    """Write the checkpoint under a temporary name, then give it its own."""
    import shutil

    ids = processor.tokenizer.convert_tokens_to_ids
    model.generation_config.eos_token_id = [ids(END), ids(TEXT_END)]
    model.generation_config.pad_token_id = ids(TEXT_END)
    model.generation_config.bos_token_id = ids(TEXT_END)
    part = out.with_name(out.name + f".part{os.getpid()}")
    model.save_pretrained(part)
    processor.save_pretrained(part)
    shutil.rmtree(out, ignore_errors=True)
    part.rename(out)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    tokenizer = make_tokenizer(args.seed)
    processor = make_processor(tokenizer)
    model = make_model(tokenizer)
    train(model, Lesson(processor, args.seed), args.steps)
    save(model, processor, args.out)
    weights = sum(weight.numel() for weight in model.parameters())
    print(f"{weights:,} weights, {len(tokenizer)} tokens, in {args.out}")


if __name__ == "__main__":
    main()
