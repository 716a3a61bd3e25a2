"""Numbers in words and digits."""

WORDS = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20, "a pair of": 2, "a couple of": 2, "half a dozen": 6,
    "a dozen": 12, "a trio of": 3, "a pair": 2,
}  # fmt: skip
PATTERN = r"\d+|" + "|".join(sorted(WORDS, key=len, reverse=True))


def value(text: str) -> int:
    """The number that a match of `PATTERN` stands for."""
    return int(text) if text.isdigit() else WORDS[text]
