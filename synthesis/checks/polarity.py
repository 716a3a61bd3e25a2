"""Whether a sentence affirms, denies or leaves open what it mentions (in the manner of NegEx, with scopes)."""

import re
from functools import lru_cache
from typing import Literal

from synthesis.checks.terms import Mention

Said = Literal["present", "absent", "doubtful", "uncertain", "nothing"]
"""``doubtful``: rather absent ("unlikely", "no definite"); ``nothing``: the picture is not said to show or lack it."""

HEDGE = (
    r"(?:cannot|can not|could not) (?:be )?(?:entirely |completely |fully )?(?:exclud|rul)\w*"
    r"|(?:does|do|did|would|should|must|may) not exclude|not (?:be |been )?(?:entirely |completely "
    r"|fully )?(?:excluded|ruled out)"
    r"|difficult to exclude|hard to say"
    r"|possibl[ey]|possibility of|probabl[ey]|likely|may|might|could|suspicious (?:for|of)|suspected"
    r"|suspicion of|suggest\w*|concern\w* for|question of|questionable|equivocal|indeterminate|uncertain|versus|vs"
    r"|rule out|consider|(?:must|should|may|might|can|could) be considered|perhaps|presumed|presumably|cannot tell"
    r"|conceivabl[ey]|whether|unclear"
    r"|not certain"
    r"|remains? open|in question|not (?:be )?confirmed|query|arguabl[ey]|thought to|believed to|favou?r\w*|not sure"
)
FALSE_ALARM = (
    r"no (?:significant |interval |definite )*(?:change|increase|decrease|progression|improvement) (?:in|of)|not only"
    r"|no doubt|without (?:a |any )?doubt|no question|not limited to|no longer only|no more than|not just|no less than"
    r"|with no change in|without (?:any )?change in"
)
DENIAL = (
    r"no|not|(?:resolution|clearing|disappearance|regression|removal) of|without|nothing|none|neither|nor"
    r"|absence of|lack of|lacks|lacking|free of|free from|negative for|cannot (?:see|find|identify|detect|make out)"
    r"|never|absent"
    r"|(?:argu|speak|spok|militat|weigh)\w* against|clear of|dismiss\w*|nowhere"
    r"|hardly any|hard to see any|barely any|rules? out|ruled out|excludes?|denies|instead of|rather than"
    r"|devoid of|fails? to show|no longer|far from(?: being)?|anything but"
    r"|(?:wrong|incorrect|mistaken|misleading|inaccurate|a mistake|an error) to (?:call|speak of|diagnose|assume|say"
    r"|think of)"
)
END_OF_SCOPE = re.compile(
    r"\b(?:but|however|although|confirms?|proves?|means|though|except|apart from|aside from|other than|besides"
    r"|with the exception of"
    r"|yet|whereas|while|which|whose|because|since|instead"
    r"|there (?:is|are)|is (?:seen|present|visible|noted)|are (?:seen|present|visible|noted)|only)\b|[;:()]"
    r"|(?:,| and) (?:a|an|the|there|this|its?|multiple|several|two|three|four|five|\d+|mild|moderate|severe|small|large"
    r"|we)\b"
    r"| and (?:is|are|was|were|shows?|has|have|appears?|represents?|contains?|looks?)\b"
    r"| with (?:a|an|the|multiple|several|mild|moderate|severe|small|large|some)\b"
)
EVIDENT = re.compile(
    r"\b(?:indicat\w+|suggest\w*|represent\w*|point(?:s|ing)? to|speak(?:s|ing)? for|due to|reflect\w*|typical of"
    r"|(?:consistent|compatible) with|in keeping with|characteristic of|diagnostic of|beyond|signif\w+|mean(?:s|ing))\b"
)
"""A finding that is not there speaks for another one that is ("absent markings indicate a pneumothorax")."""
NO_FINDING = re.compile(
    r"^(?: (?:evidence|findings?|signs?|features?|changes?|traces?|abnormalit\w+|patterns?|appearances?|signals?|of"
    r"|that|which"
    r"|to|would|is|are|in|on|here|this|the|an?|any|image|picture|film|scan|slice|seen|visible|present|definite|clear"
    r"|other"
    r"|obvious|convincing|specific|imaging|radiographic|radiological|acute|further|really|strongly|anything"
    r"|clearly))* ?$"
)
"""Between a denial and such a word: evidence itself is denied ("no signs that indicate pneumonia")."""
PLACE = re.compile(
    r" (?:in|within|at|near|along|around|between|on|over|above|below|behind|beside|involving|affecting|inside|outside"
    r"|into|from|to|(?<!evidence )(?<!sign )(?<!signs )(?<!trace )(?<!presence )(?<!suspicion )(?<!features )of(?= the"
    r"| its"
    r"| both| this| either)) (?:the |this |its |his |her |both |either |a |an )?(?:\w+ ){0,2}$"
)
"""Behind a denied thing: the mention says where it is not, and is not denied itself ("no mass in the liver")."""
MISTAKEN = re.compile(
    r"\b(?:what (?:looks|looked|appears|appeared|seems|seemed) (?:like|as|to be)|apparent|seeming"
    r"|supposed) (?:an? )?(?:\w+ )?$"
)
IS_IN_FACT = re.compile(r"^ (?:is|was|turns out|proves|proved|are)\b")
PREDICATE = re.compile(
    r"^(?P<between>[^;:.]*?)\b(?:is|are|was|were|has|have|had|can|cannot|could|must|should|may|might|do|does|did"
    r"|remains?|appears?"
    r"|seems?|looks?)\b"
    r"(?P<said>[^;:.]*)"
)
GOES_ON = re.compile(r"^[^,;]*\b(?:but|and|yet) $")
"""Before a verb: the statement goes on about the same thing ("... is expected but is missing")."""
NEXT_STATEMENT = re.compile(r",|\b(?:and|but|while|whereas|although|however|though)\b")
ABSENT_AFTER = re.compile(
    r"\b(?:not (?:\w+ ){0,2}?(?:seen|visible|visualized|present|identified|evident|detected|detectable|found"
    r"|shown|there"
    r"|demonstrated|noted|observed|apparent|appreciated|recognized|recognizable|suspected)"
    r"|lacking|(?:present|seen|visible|found) (?:at|in|on) (?:neither|no)\b|not (?:been )?(?:placed|made"
    r"|confirmed as present)|absent|excluded|negative|ruled out|resolved|no longer"
    r"|nowhere|gone"
    r"|disappeared|missing|dismissed|cleared|(?<!be )(?<!not )(?:removed|resected|excised))\b"
)
GONE_BEFORE = re.compile(
    r"(?:^|[,;:] |\b(?:with|of|and|the|an?|previously|now|completely|interval|prior) )"
    r"(?:resolved|resected|excised|removed) (?:\w+ ){0,2}$"
)
"""Before a mention, as a word about it: it was there ("resolved oedema")."""
CONDITION = re.compile(
    r"(?:^|[;:,.] )(?:if|were (?:an?|any|the|there|this|it|these|that)|had there been|should there be|unless"
    r"|in case of)\b[^,;]*$"
)
"""What stands in a condition is not stated at all."""
DOUBT_BEFORE = re.compile(
    r"\b(?:no (?:definite|obvious|convincing|clear|certain|gross|discrete|appreciable)|unlikely(?: to be)?"
    r"|doubtful|improbable)\b"
)
DOUBT_AFTER = re.compile(
    r"\b(?:unlikely|doubtful|improbable|least likely|not (?:an? |the |very |especially )?(?:likely|probable|plausible"
    r"|expected|definitely|clearly|convincingly))\b"
)
NOT_OF_THE_PICTURE = re.compile(
    r"\b(?:history of|status post|evaluat\w+ for|assess\w* for|(?:looking|search\w*|screen\w*) for|risk of|prone to"
    r"|mimic\w*|resembl\w+|similar to|unlike|differs? from|distinguish\w* from|confused with|mistaken for|typical of"
    r"|referred for|(?:more|less) (?:likely|probable) than|compared (?:with|to)|indication|differential\w*|treated for"
    r"|would be expected)\b"
)
"""What stands behind these is spoken of, and not said to be in the picture."""
QUALIFIED = re.compile(
    r"\bno (?:large|larger|sizeable|sizable|massive|huge|new|newer|further|other|additional|enlarging) (?:\w+ ){0,2}$"
)
"""Denies some of its kind only."""
HEDGE_RE = re.compile(rf"\b(?:{HEDGE})\b")
FALSE_ALARM_RE = re.compile(rf"\b(?:{FALSE_ALARM})\b")
DENIAL_RE = re.compile(rf"\b(?:{DENIAL})\b")
SHORT_ABSENT = re.compile(
    r"^\s*(?::|=|\()\s*(?:no|none|nil|absent|negative|not (?:seen|present))\b"
    r"|^,? (?:absent|excluded|negative|not (?:\w+ ){0,1}?(?:seen|visible|noted|identified|detected|found|present"
    r"|evident))\b"
)


SHORT_OPEN = re.compile(
    r"^\s*[:=(]\s*(?:uncertain|possibl[ey]|probabl[ey]|likely|equivocal|indeterminate|unclear|questionable|suspected)\b"
)
SHORT_DOUBT = re.compile(r"^ (?:very |rather |quite |highly )?(?:unlikely|improbable|doubtful)\b")
SHORT_NOTHING = re.compile(r"^\s*[:=(]\s*(?:not (?:mentioned|assessed|stated|applicable)|unknown|n a)\b")


COMPANIONS = frozenset({
    "a", "an", "the", "is", "are", "be", "been", "to", "of", "or", "in", "by", "for", "from", "with", "at", "on",
    "that", "and", "can", "there", "this", "we", "very", "any", "also", "it", "has", "have", "as", "more", "than",
    "was", "our", "does", "do", "did", "being", "s", "d", "y", "e", "r", "ly", "w", "b", "i", "us", "me", "seen",
    "visible", "visualized", "present", "identified", "evident", "detected", "detectable", "found", "shown",
    "demonstrated", "noted", "observed", "appreciated", "recognized", "recognizable", "placed", "made", "confirmed",
    "definite", "obvious", "convincing", "clear", "certain", "gross", "discrete", "appreciable", "appears",
    "appeared", "looks", "looked", "seems", "seemed", "large", "larger", "sizeable", "sizable", "massive", "huge",
    "new", "newer", "further", "other", "additional", "enlarging", "mentioned", "assessed", "stated", "applicable",
    "full", "fully", "entirely", "completely", "expected", "especially", "definitely", "clearly", "convincingly",
    "find", "see", "make", "identify", "detect", "out", "say", "remains", "sure", "show", "changed",
})  # fmt: skip
"""Words of the patterns that never stand in one without another of its words."""
STEM = 5
CUES = frozenset(
    word[:STEM]
    for pattern in (
        HEDGE_RE, DENIAL_RE, ABSENT_AFTER, CONDITION, DOUBT_BEFORE, DOUBT_AFTER, NOT_OF_THE_PICTURE, QUALIFIED,
        GONE_BEFORE, SHORT_ABSENT, SHORT_OPEN, SHORT_NOTHING, MISTAKEN,
    )
    for word in re.findall(r"[a-z]+", re.sub(r"\\[a-zA-Z]|\(\?P<\w+>", " ", pattern.pattern))
    if word not in COMPANIONS
) | {"n", "favor", "ruled", "rules", "argue", "argui", "spoke"}  # fmt: skip
"""Beginnings of words, of which every sentence that does not simply affirm holds one."""


@lru_cache(maxsize=256)
def affirms_all(sentence: str) -> bool:
    """Whether a plain sentence affirms whatever it mentions: a look at its words spares most searches."""
    return CUES.isdisjoint([word[:STEM] for word in re.findall(r"[a-z]+", sentence)])


def said_of(sentence: str, mention: Mention) -> Said:
    """What a plain sentence says of one of its mentions."""
    said = "present" if affirms_all(sentence) else _said_of(sentence, mention)
    if mention.kind == "denied":
        return _opposite(said)
    if mention.kind == "adjective":
        return "nothing" if said in ("absent", "doubtful") else said
    return said if mention.kind == "named" or said in ("absent", "doubtful") else "nothing"


def _opposite(said: Said) -> Said:
    """Of a statement that denies a term, such as "normal heart size"; its own denial proves nothing."""
    return "absent" if said == "present" else "uncertain" if said == "uncertain" else "nothing"


def _said_of(sentence: str, mention: Mention) -> Said:
    if CONDITION.search(sentence[: mention.start]):
        return "nothing"
    before = _blank(FALSE_ALARM_RE, sentence[: mention.start])
    after = sentence[mention.end :]
    if _in_scope(NOT_OF_THE_PICTURE, before) or QUALIFIED.search(before):
        return "nothing"
    if SHORT_NOTHING.search(after):
        return "nothing"
    if SHORT_OPEN.search(after):
        return "uncertain"
    if SHORT_DOUBT.search(after) or _in_scope(DOUBT_BEFORE, before) or DOUBT_AFTER.search(_predicate(after)):
        return "doubtful"
    if MISTAKEN.search(before) and IS_IN_FACT.match(after):
        return "absent"
    hedge, denial = _in_scope(HEDGE_RE, before), _in_scope(DENIAL_RE, _blank(HEDGE_RE, before))
    if denial and _is_place(before):
        return "nothing"
    predicate = _predicate(after)
    if HEDGE_RE.search(predicate) or (hedge and not denial):
        return "uncertain"
    if denial or GONE_BEFORE.search(before) or ABSENT_AFTER.search(predicate) or SHORT_ABSENT.search(after):
        return "absent" if not (denial and _double(before)) else "uncertain"
    return "present"


def _blank(pattern: re.Pattern[str], text: str) -> str:
    return pattern.sub(lambda match: "_" * len(match[0]), text)


def _in_scope(pattern: re.Pattern[str], before: str) -> bool:
    """Whether the last trigger before the mention still reaches it."""
    triggers = list(pattern.finditer(before))
    if not triggers:
        return False
    reach = before[triggers[-1].end() :]
    evident = EVIDENT.search(reach)
    if evident is not None and NO_FINDING.match(reach[: evident.start()]) is None:
        return False
    return END_OF_SCOPE.search(reach + " ") is None and len(reach.split()) <= 14


def _is_place(before: str) -> bool:
    """Whether the mention only says where something is denied."""
    reach = before[list(DENIAL_RE.finditer(before))[-1].end() :] if DENIAL_RE.search(before) else ""
    place = PLACE.search(reach)
    return place is not None and NO_FINDING.match(reach[: place.start()]) is None


def _double(before: str) -> bool:
    """Whether two denials meet, as in "not without"."""
    return re.search(r"\bnot (?:without|free of|free from|absent|negative for)\b", before) is not None


def _predicate(after: str) -> str:
    """What is said of the mention behind it: the words after the next verb, up to the next statement."""
    match = PREDICATE.match(after)
    if match is not None and GOES_ON.search(match["between"]):
        return _said(match, after)
    if match is None or re.search(r"\b(?:but|while|whereas|although|which|that|with)\b|;", match["between"]):
        return ""
    if re.search(r", (?:a|an|the|there|no)\b|\band (?:a|an|the|there|no)\b", match["between"]):
        return ""
    return _said(match, after)


def _said(match: re.Match[str], after: str) -> str:
    end = NEXT_STATEMENT.search(match["said"])
    verb = after[match.end("between") : match.start("said")]
    return verb + (match["said"][: end.start()] if end else match["said"])
