"""Answers as statements that stand alone, since "No" says something only together with its question."""

import re
from collections.abc import Iterator
from functools import lru_cache

from synthesis.checks.number_words import PATTERN
from synthesis.checks.terms import sentences

YES_NO = re.compile(r"^(?:any|is|are|was|were|does|do|did|has|have|can|could)\b", re.IGNORECASE)
YES_OR_NO = re.compile(r"^\s*(yes|no)(?:[\s.,;:!-]*$|[.,;:!-]+\s*)", re.IGNORECASE)
ANY = re.compile(r"^any ", re.IGNORECASE)
YES = re.compile(
    r"^\s*(?:absolutely|certainly|indeed|correct|definitely|affirmative|of course|sure(?:ly)?|it does|they do|it is"
    r"|they are"
    r"|there (?:is|are)(?: (?:one|some|several))?)(?=\s*(?:[.,;!]|$))",
    re.IGNORECASE,
)
NO = re.compile(
    r"^\s*(?:negative|nope|(?:luckily|fortunately|thankfully|certainly|probably|definitely|of course) not|not really"
    r"|not at all|it (?:does not|doesn't|is not|isn't)|there (?:is not|isn't|are not"
    r"|aren't))(?=\s*(?:[.,;!]|$))",
    re.IGNORECASE,
)
"""Replies that stand for yes and no."""
HOW_MANY = re.compile(
    r"^how many (?P<what>.+?) (?:are|is|can|could|do|does|did|has|have|had|lie|were|was)\b", re.IGNORECASE
)
WHERE = re.compile(
    r"^(?:(?:on|in|at) )?(?:where(?: (?:in|on) the \w+)?|(?:which|what) (?:\w+ )?(?:side|lung|lobe|part|half|region"
    r"|corner|area|place"
    r"|location)"
    r"(?: of the \w+)?) (?:is|are|does|do|can|lies?) (?:the |an? )?(?P<what>.+?)"
    r"(?: (?:located|lie|seen|found|be seen|be found|visible|on|in|at|affected|situated))*\?$",
    re.IGNORECASE,
)
HOW_BIG = re.compile(
    r"^(?:how (?:big|large|wide|long)|what size) (?:is|are) (?:the |an? )?(?P<what>.+?)\?$", re.IGNORECASE
)
NONE = re.compile(
    r"^\s*(?:there (?:is|are) |(?:i|we|one) (?:can )?(?:see|find|count) )?(?:none|not)(?: (?:is|are|was|were"
    r"|that i can see|at all|any))?(?: \w+){0,2}[.!]?\s*$",
    re.IGNORECASE,
)
"""A reply that denies what was asked for without naming it."""
ITSELF = re.compile(r"^(?:it|this|that|they|these|he|she)(?:'s|'re| is| are| lies?| measures?)? ", re.IGNORECASE)
LAST_WORD = re.compile(
    r"[,;:.] (?:so|therefore|thus|hence|so the answer is|the answer is)[:,]? (yes|no)\.?\s*$", re.IGNORECASE
)
"""A reply that gives its reasons first."""
RELATION = re.compile(
    r"\b(?:than|touch\w*|borders?|adjacent|contact|contained?|overlap\w*|next to|beside|above|below|between|inside"
    r"|within"
    r"|anterior|posterior|superior|inferior|medial|lateral|cranial|caudal|(?:left|right)(?: side)? of|share|same|closer"
    r"|by the|without|free"
    r"|correct that|true that|say that|severe|severity|stage|grade|scale|surround\w*|reach\w*|cross\w*|invade\w*"
    r"|extend\w*"
    r"|classified|called|labell?ed)\b",
    re.IGNORECASE,
)
"""A question about how things are or lie: "no" denies that, and not the things."""
STATE = re.compile(
    r"^(?:is|are|was|were) (?:the|this|your|my|his|her|their|both) (?P<what>[^?]+) (?P<how>too \w+|\w+(?:ed|al|ous|ic"
    r"|orn|oken"
    r"|wn|ar))\?$",
    re.IGNORECASE,
)
"""A question about a state: "Is the heart enlarged?"."""
ABOUT = re.compile(
    r"^(?:how (?:is|are|does|do)|what about|what of|describe) (?:the|my|your|his|her|this"
    r"|both) (?P<what>[\w -]+?)(?: look(?: like)?)?[?.]?$",
    re.IGNORECASE,
)
PRONOUN = re.compile(r"^(?:it|they) ", re.IGNORECASE)
SHORT_REPLY = 7
"""Words of an answer that has no subject of its own."""
NUMBER_FIRST = re.compile(
    rf"^\s*(?:there (?:are|is) |(?:i|we|one) (?:can )?(?:see|count) )?"
    rf"(?P<bound>(?:about|around|approximately|roughly|nearly|almost|some|at least|at most|only|just"
    rf"|exactly) )?(?P<number>{PATTERN})"
    r"(?: (?:of (?:them|these|those)|in total|altogether|in all))?\s*[.!]?\s*$",
    re.IGNORECASE,
)


def stated(text: str) -> Iterator[str]:
    """The sentences that state something: a question does so only together with a reply ("Pneumothorax? No.")."""
    asked = ""
    for sentence in sentences(text):
        if sentence.endswith("?"):
            asked = sentence
            continue
        reply = YES_OR_NO.match(sentence) or NONE.match(sentence)
        if asked and reply:
            yield from sentences(statements(asked if YES_NO.match(asked) else f"Is there {asked}", sentence))
        else:
            yield sentence
        asked = ""


def statements(question: str, answer: str) -> str:
    """The answer as statements that stand alone: "No" to "Is there an effusion?" denies the effusion."""
    asked = ANY.sub("Are there any ", _question(question))
    if YES_NO.match(asked):
        return _yes_or_no(asked, NO.sub("No", YES.sub("Yes", answer)))
    how_many, number = HOW_MANY.match(asked), NUMBER_FIRST.match(answer)
    if how_many and number:
        return f"There are {number['bound'] or ''}{number['number']} {how_many['what']}."
    about = ABOUT.match(asked)
    if about and PRONOUN.match(answer):
        return PRONOUN.sub(f"The {about['what']} ", answer, count=1)
    where, big = WHERE.match(asked), HOW_BIG.match(asked)
    if (where or big) and len(answer.split()) <= SHORT_REPLY:
        said = ITSELF.sub("", answer.strip().rstrip("."))
        subject = where["what"] if where else big["what"] if big else ""
        return f"The {subject} {'lies' if where else 'measures'} {said[:1].lower()}{said[1:]}."
    return answer


def _yes_or_no(asked: str, answer: str) -> str:
    """The answer to a question that asks for yes or no."""
    if NONE.match(answer):
        answer = "No."
    reply, last = YES_OR_NO.match(answer), LAST_WORD.search(answer)
    if reply is None and last is not None:
        answer = f"{last[1].capitalize()}. {answer[: last.start()].strip(' ,')}."
        reply = YES_OR_NO.match(answer)
    if reply is None:
        return answer
    rest = answer[reply.end() :]
    rest = f"{rest[:1].upper()}{rest[1:]}"
    if RELATION.search(asked):
        return rest
    denied = reply[1].lower() == "no"
    state = STATE.match(asked)
    if state:
        return f"The {state['what']} {'is not' if denied else 'is'} {state['how']}. {rest}".strip()
    asked = re.sub(r"^\s*\w+\s+", "", asked).rstrip("?. ")
    asked = re.sub(r"^there\s+(?:any\s+|an?\s+)?", "", asked)
    return f"There is {'no ' if denied else ''}{asked}. {rest}".strip()


@lru_cache(maxsize=1024)
def _question(text: str) -> str:
    """What is asked: the last sentence that ends with a question mark, else all of it."""
    asked = [sentence for sentence in sentences(text.strip()) if sentence.endswith("?")]
    return asked[-1] if asked else text.strip()
