"""Identifiers in free text: recall and precision on reports that the recognisers were not made on.

    python -m benchmarks.privacy_text make corpus.jsonl     needs faker
    python -m benchmarks.privacy_text ours corpus.jsonl
    python -m benchmarks.privacy_text presidio corpus.jsonl needs presidio-analyzer and a spaCy model, by name

``make`` plants surrogates, drawn by faker in many cultures, in real texts of ``../shared/data``. Some sentences and
cultures are for mending (``dev``), others are only measured: ``test``, and ``later``, which was written when days
without a year began to be looked for, and holds fractions, scores and levels that look like them.
"""

import json
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

DATA = Path("../shared/data")
REPORTS = 1000
"""Of each part."""
ARTICLE = "the "
"""Names nobody."""

CULTURES = {
    "dev": ("en_US", "de_DE", "es_ES", "it_IT", "pl_PL", "tr_TR", "en_IN", "fi_FI", "hu_HU", "id_ID"),
    "test": (
        "en_GB",
        "fr_FR",
        "nl_NL",
        "sv_SE",
        "pt_BR",
        "cs_CZ",
        "ro_RO",
        "hr_HR",
        "fil_PH",
        "en_NZ",
        "da_DK",
        "zu_ZA",
    ),
    "later": ("de_AT", "es_MX", "pt_PT", "no_NO", "sl_SI", "et_EE", "en_CA", "fr_CA", "nl_BE", "lt_LT", "sk_SK"),
}
SENTENCES = {
    "dev": (
        "Dr. {person:last} was informed by telephone.", "Findings discussed with {person:full} at the bedside.",
        "Patient name: {person:full}.", "Reported by: {person:full}, {date}.", "{person:comma}, born {date}.",
        "Compared with the study of {date}.", "{person:first} came with her mother.", "Mr {person:last} feels well.",
        "MRN {record}.", "Accession number: {record}.", "Call back at {phone}.", "Mail: {email}.",
        "He lives at {address}.", "Referred from {hospital}.", "A {old}-year-old woman.", "Seen in {city} on {date}.",
        "The patient's wife, {person:full}, agrees.", "CC: {person:full}", "Hospital number {record}; exam {date}.",
        "{person:caret}", "Fax {phone}.", "DOB {date}", "Dictated by {person:full} on {date}",
    ),
    "test": (
        "Results were communicated to Dr {person:last} on {date}.", "Electronically signed by {person:full} {date}.",
        "This is a chest film of {person:full}.", "Prior from {date} at {hospital}.",
        "Mrs. {person:last} tolerated it.",
        "Pat.: {person:comma}", "Patient ID {record}", "Acc# {record}", "Phone {phone} or {email}.",
        "Address: {address}.", "{person:full} (DOB {date}) presented with cough.", "Nurse {person:last} assisted.",
        "Requesting physician {person:full}", "Son {person:first} was present.", "She moved here from {city}.",
        "Last seen {date}, next visit {date}.", "NHS No {record}", "Technologist: {person:full}",
        "{person:caret} {record}",
        "As {person:full} noted, no change since {date}.", "Contact: {person:last}, tel. {phone}", "aged {old} years",
    ),
    "later": (
        "{person:first} was admitted {date}.", "{person:full} underwent surgery on {date}.",
        "Images of {date} were reviewed by {person:full}.", "Follow-up on {date} with Dr {person:last}.",
        "The husband, {person:full}, was called.", "Pt: {person:comma}", "Case discussed with {person:full}, {date}",
        "{person:caret}", "MRN {record} seen {date}", "Telephone: {phone}", "Admitted to {hospital} from {city}.",
        "Unchanged since {date}.", "Exam dated {date}.", "{person:first} lives at {address}.", "Mail to {email}",
        "Surgeon: {person:full}", "Mrs {person:last} called on {date}.", "Aged {old} years.",
        # What looks like days and is none.
        "Power 4/5 in the left leg.", "Pain 7/10 today.", "Review in 2/52.", "Disc bulge at L4/5 and C5/6.",
        "Seen on 3/4 of the slices.", "Image 12/24 shows it.", "Blood pressure 120/80.", "May represent a scar.",
        "Positive in 2/12 nodes.", "T3/4 tumour, grade 2/3.", "Given 1/2 strength contrast.", "Visible on 2/3 images.",
        "Lesion at 10/11 o'clock.", "Series 3 image 4/12.", "Glasgow coma score 14/15.", "Vision 6/12 right.",
    ),
}  # fmt: skip
DATES = {
    "dev": ("%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%d %B %Y", "%B %d, %Y", "%d-%b-%y", "%Y%m%d", "%b %Y"),
    "test": ("%Y/%m/%d", "%d/%m/%y", "%d-%m-%Y", "%d %b %Y", "%b. %d, %Y", "%d%b%Y", "%B %Y", "%m/%d", "%A, %d %B %Y",
             "%Y-%m-%dT%H:%M"),
    "later": ("%d %B", "%B %d", "%d %b", "%d/%m", "%m/%d", "%A, %B %d", "%d-%b", "%d %B %Y", "%d.%m.%Y", "%m/%d/%y"),
}  # fmt: skip
RECORDS = {
    "dev": ("########", "??######", "##-##-##", "?-####-##"),
    "test": ("#######", "### ### ####", "S##-#####", "???###", "####/####", "##########"),
    "later": ("######", "?#######", "##-######", "####-####-#"),
}


def make(path: Path) -> None:
    """Write the corpus: lines of ``half``, ``text``, ``gold`` (kind, start, end)."""
    from faker import Faker

    texts = real_texts()
    with path.open("w", encoding="utf-8") as out:
        for half, cultures in CULTURES.items():
            makers = [Faker(culture) for culture in cultures]
            for number in range(REPORTS):
                draw = random.Random(f"{half}{number}")
                maker = makers[number % len(makers)]
                maker.seed_instance(number)
                text, gold = _report(draw, maker, half, draw.choice(texts))
                out.write(json.dumps({"half": half, "text": text, "gold": gold}, ensure_ascii=False) + "\n")


def real_texts() -> list[str]:
    """Reports, notes and answers of the shared data, without those that hold dates or names of their own."""
    reports = [path.read_text("utf-8") for path in sorted(DATA.glob("caption_report_covid_ccby/reports/*.txt"))]
    pairs = json.loads((DATA / "vqa_rad/VQA_RAD Dataset Public.json").read_text("utf-8"))
    said = [f"{one['question']} {one['answer']}." for one in pairs]
    texts = dict.fromkeys(" ".join(text.split()) for text in (*reports, *said))
    return [text for text in texts if "January" not in text]


def _report(draw: random.Random, maker: Any, half: str, base: str) -> tuple[str, list[tuple[str, int, int]]]:
    text, gold = "", []
    wanted = draw.sample(SENTENCES[half], draw.randint(1, 3))
    where = draw.randint(0, len(wanted))
    for number, sentence in enumerate([*wanted[:where], base, *wanted[where:]]):
        text += ("\n" if draw.random() < 0.3 else " ") if text else ""
        if number == where:
            text += base
            continue
        for part in re.split(r"(\{[\w:]+\})", sentence):
            if part.startswith("{"):
                kind, _, form = part[1:-1].partition(":")
                value = _value(draw, maker, half, kind, form)
                gold.append((kind, len(text) + len(ARTICLE) * value.startswith(ARTICLE), len(text) + len(value)))
                text += value
            else:
                text += part
    return text, gold


def _value(draw: random.Random, maker: Any, half: str, kind: str, form: str) -> str:
    if kind == "person":
        first, last = str(maker.first_name()), str(maker.last_name())
        forms = {"full": f"{first} {last}", "last": last, "first": first, "comma": f"{last.upper()}, {first}",
                 "caret": f"{last.upper()}^{first.upper()}"}  # fmt: skip
        return forms[form]
    made: dict[str, Callable[[], str]] = {
        "date": lambda: maker.date_between("-60y", "-1y").strftime(draw.choice(DATES[half])),
        "record": lambda: maker.bothify(draw.choice(RECORDS[half]), letters="ABCDEFGHKLMNPRSTUVWXYZ"),
        "phone": lambda: _of(maker, "phone_number"),
        "email": lambda: _of(maker, "email"),
        "address": lambda: _of(maker, "street_address").replace("\n", " "),
        "city": lambda: _of(maker, "city"),
        "hospital": lambda: draw.choice(("{} General Hospital", "St. {} Hospital", "{} Medical Center", "Klinikum {}",
                                         "{} University Hospital", "the {} Clinic")).format(maker.last_name()),
        "old": lambda: str(draw.randint(90, 104)),
    }  # fmt: skip
    return str(made[kind]())


def _of(maker: Any, what: str) -> str:
    """From the culture where faker knows it there, else from America."""
    from faker import Faker

    if not hasattr(maker, what):
        other = Faker("en_US")
        other.seed_instance(maker.random.random())
        maker = other
    return str(getattr(maker, what)())


Finder = Callable[[str], list[tuple[int, int]]]


def score(finders: dict[str, Finder], path: Path, half: str) -> None:
    """Print recall by kind (every letter and digit covered), precision of what was found, and the time."""
    lines = [json.loads(line) for line in path.open(encoding="utf-8")]
    lines = [line for line in lines if line["half"] == half]
    clean = real_texts()
    for name, find in finders.items():
        started = time.perf_counter()
        found = [find(line["text"]) for line in lines]
        spent = time.perf_counter() - started
        whole, touched, wanted = Counter[str](), Counter[str](), Counter[str]()
        right = made = 0
        for line, hits in zip(lines, found, strict=True):
            covered = {place for start, end in hits for place in range(start, end)}
            for kind, start, end in line["gold"]:
                wanted[kind] += 1
                letters = [place for place in range(start, end) if line["text"][place].isalnum()]
                whole[kind] += all(place in covered for place in letters)
                touched[kind] += any(place in covered for place in letters)
            made += len(hits)
            right += sum(any(start < e and s < end for _, s, e in line["gold"]) for start, end in hits)
        false = [text for text in clean if find(text)]
        recall = sum(whole.values()) / sum(wanted.values())
        print(f"{name} ({half}): recall {recall:.3f}, touched {sum(touched.values()) / sum(wanted.values()):.3f}, "
              f"precision {right / max(made, 1):.3f}, {spent / len(lines) * 1000:.2f} ms a report, "
              f"{len(false)} of {len(clean)} clean real texts hit")  # fmt: skip
        print("  " + ", ".join(f"{kind} {whole[kind]}/{wanted[kind]} ({touched[kind]})" for kind in sorted(wanted)))


def ours(text: str) -> list[tuple[int, int]]:
    """Spans of `quality.recognisers`."""
    from quality.recognisers import find

    return [(hit.start, hit.end) for hit in find(text)]


PRESIDIO = ("PERSON", "DATE_TIME", "PHONE_NUMBER", "EMAIL_ADDRESS", "LOCATION", "US_SSN", "MEDICAL_LICENSE", "URL",
            "IP_ADDRESS", "UK_NHS", "US_DRIVER_LICENSE", "US_PASSPORT", "NRP", "ORGANIZATION")  # fmt: skip


def presidio(model: str, entities: tuple[str, ...] = PRESIDIO, least: float = 0.0) -> Finder:
    """Spans of Presidio's analyzer with a spaCy model."""
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import NlpEngineProvider

    models = [{"lang_code": "en", "model_name": model}]
    provider = NlpEngineProvider(nlp_configuration={"nlp_engine_name": "spacy", "models": models})
    engine = AnalyzerEngine(nlp_engine=provider.create_engine(), supported_languages=["en"])

    def look(text: str) -> list[tuple[int, int]]:
        found = engine.analyze(text, "en", entities=list(entities), score_threshold=least)
        return [(hit.start, hit.end) for hit in found]

    return look


def both(one: Finder, other: Finder) -> Finder:
    """What either finds."""
    return lambda text: [*one(text), *other(text)]


def _finders(what: str, arguments: list[str]) -> Iterator[tuple[str, Finder]]:
    if what in ("ours", "all"):
        yield "ours", ours
    if what in ("presidio", "all"):
        whole, people = presidio(arguments[0]), presidio(arguments[0], ("PERSON",))
        yield "presidio", whole
        yield "presidio, persons only", people
        if what == "all":
            yield "ours and presidio", both(ours, whole)
            yield "ours and presidio's persons", both(ours, people)


if __name__ == "__main__":
    command, file, *rest = sys.argv[1:]
    if command == "make":
        make(Path(file))
    else:
        halves = ("dev", "test", "later")
        for half in halves:
            score(dict(_finders(command, rest)), Path(file), half)
