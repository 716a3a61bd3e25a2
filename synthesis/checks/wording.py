"""Wording that betrays how a text was made: the reference, a refusal, advice, unfilled template words."""

import re
from collections.abc import Iterator

GIVEN = r"(?:given|provided|supplied|accompanying|attached|associated|available|aforementioned|above|reference|stated)"
SOURCE = (
    r"(?:captions?|annotations?|annotated|labels?|ground truth|reference|metadata|figure legend|legend|context|facts?"
    r"|descriptions?|reports?|notes|information|text|data|bounding box(?:es)?|boxes|segmentation masks?|masks?"
    r"|contours?"
    r"|prompt|instructions?|json|dataset)"
)
SAYS = (
    r"(?:says?|states?|stated|mentions?|mentioned|indicates?|indicated|describes?|described|lists?|listed|notes?|noted"
    r"|gives?|given|reads?|confirms?|specif\w+|shows?|tells?)"
)
LEAK = re.compile(
    rf"\b(?:according to|based on|as (?:per|stated in|mentioned in|described in|noted in|indicated (?:in|by)|given in)"
    rf"|in line with|consistent with|judging by|from|per|following|in) (?:the|this|that|your|its?|all)? ?(?:{GIVEN} )"
    rf"{SOURCE}\b"
    rf"|\b(?:according to|based on|as (?:per|stated in|mentioned in|described in|noted in|indicated (?:in|by)|given in)"
    rf"|judging by) (?:the|this|its?) {SOURCE}\b"
    rf"|\bthe {SOURCE} (?:also |clearly |explicitly )?{SAYS}\b"
    rf"|\b(?:as|was|were|is|are) (?:annotated|labell?ed|marked|mentioned|listed|captioned) (?:as|in|by|with|above"
    rf"|here)\b"
    rf"|\b(?:the|a|this|{GIVEN}) (?:{GIVEN} )?(?:caption|annotation|ground truth|figure legend|bounding box(?:es)?"
    rf"|segmentation mask|annotator|metadata)s?\b"
    rf"|\b(?:the|this|your|my) (?:{GIVEN}) (?:reference|context|facts?|labels?|descriptions?|reports?|information"
    rf"|text)\b"
    rf"|\b(?:i was|i am|i have been|we were|as) (?:told|given|informed|provided)\b(?! that (?:you|she|he))"
    rf"|\bannotated (?:as|region|area|box|lesion)\b|\blabell?ed (?:as|region|box)\b|</?reference>"
    rf"|\b(?:mentioned|described|provided|stated|listed) in the (?:{GIVEN} )?{SOURCE}\b"
    rf"|\breference (?:block|text|says|states|marks)\b|\bwithout (?:revealing|mentioning) the reference\b",
    re.IGNORECASE,
)
NOT_A_LEAK = re.compile(
    r"\b(?:r?adiotracer[- ]labell?ed|labell?ed (?:red|white) (?:blood )?cells?|antibody[- ]labell?ed"
    r"|fluorescently labell?ed"
    r"|lead labels?|marked (?:by|with) (?:a )?(?:decrease|increase|arrow)\w*|clinical (?:context|information)"
    r"|history (?:given|provided))\b",
    re.IGNORECASE,
)

WORKS = r"(?:see|view|look at|access|open|display|process|interpret|analy[sz]e|read|examine|describe|identify|evaluate)"
NO_POWER = (
    r"(?:can ?not|can't|could ?not|couldn't|am unable to|am not able to|'m unable to|'m not able to|do not|don't)"
)
PICTURE = (
    r"(?:images?|pictures?|photos?|scans?|x-?rays?|files?|attachments?|medical images?|visual content|it|them|this)"
)
REFUSAL = re.compile(
    rf"\bI(?: {NO_POWER}|'m unable to|'m not able to) (?:directly |actually |currently )?(?:{WORKS}|have access to"
    rf"|provide|assist"
    rf"|help|comply|answer|make|determine|give|offer|diagnose|comment)\b(?! (?:any|no|a|an|evidence|signs?|other"
    rf"|further)\b)"
    rf"|\b(?:as|being) an? (?:AI|artificial|large language|language|text[- ]based)\b[^.]{{0,30}}\b(?:model|assistant"
    rf"|AI|system|I)\b"
    rf"|\bas an AI\b|\bI(?:'m| am) (?:sorry|afraid|just an? (?:AI|language))\b|\bmy apologies\b|\bI apologi[sz]e\b"
    rf"|\bno (?:image|picture|photo|scan) (?:was|is|has been) (?:provided|attached|visible|uploaded|included"
    rf"|available)\b"
    rf"|\b(?:image|picture|scan) (?:is not|was not|isn't|wasn't|cannot be|could not be) "
    rf"(?:provided|attached|displayed|loaded|opened|available|uploaded)\b"
    rf"|\bplease (?:provide|upload|attach|share) (?:the|an|your|a) {PICTURE}\b"
    rf"|\bunable to (?:view|see|open|access|assist|provide|analy[sz]e|process)\b|\bcannot (?:view|assist|comply"
    rf"|fulfil)\b"
    rf"|\bagainst my (?:guidelines|policy|programming)\b|\bconsult (?:the )?(?:original|actual) image\b",
    re.IGNORECASE,
)
NOT_A_REFUSAL = re.compile(
    r"\bI (?:can ?not|do not|don't|can't) see (?:any|a|an|no|evidence|signs?|other|further|the (?:left|right|lower"
    r"|upper))\b"
    r"|\bI'm afraid (?:that )?(?:there|the|it|this|your|you|we)\b|\bI am afraid (?:that )?(?:there|the|it|this|your"
    r"|you|we)\b"
    r"|\bI(?:'m| am) sorry (?:to (?:say|tell|hear)|that you|you|for (?:the|your) (?:wait|worry|pain))\b",
    re.IGNORECASE,
)

DRUG = (
    r"(?:antibiotics?|steroids?|corticosteroids?|aspirin|ibuprofen|paracetamol|acetaminophen|heparin|anticoagula\w+"
    r"|insulin"
    r"|chemotherapy|radiotherapy|opioids?|diuretics?|furosemide|amoxicillin|metformin|statins?|beta[- ]?blockers?"
    r"|surgery"
    r"|biopsy|drainage|resection|thoracentesis|intubation|transfusion|follow[- ]up|medications?|painkillers?"
    r"|antivirals?)"
)
ADVICE = re.compile(
    rf"\b(?:you|the patient|patients?|he|she|they) (?:should|must|need to|needs to|ought to|has to|have to) "
    rf"(?:be |immediately |urgently |promptly )?(?:treated|start\w*|take|taking|given|undergo|receive|stop|avoid"
    rf"|rest|drink"
    rf"|operated|admitted|hospitali[sz]ed|have (?:a|an|surgery)|get|begin)\b"
    rf"|\b(?:I|we) (?:would )?(?:recommend|advise|suggest|prescribe|propose) (?:\w+ ){{0,3}}?(?:{DRUG}|treatment"
    rf"|therapy|taking"
    rf"|starting|a dose|further|to take|an? (?:ct|mri|ultrasound|operation))\b"
    rf"|\b(?:treatment|therapy|management) (?:with|should|includes?|consists?|is|would|options?)\b(?! (?:not|seen"
    rf"|unknown))"
    rf"|\b(?:start|administer|prescribe|give|begin|take|initiate) (?:\w+ ){{0,2}}?{DRUG}\b"
    rf"|\b\d+(?:\.\d+)? ?(?:mg|mcg|µg|units|ml)(?:/kg)?\b(?=[^.]*\b(?:daily|twice|every|per day|orally|iv"
    rf"|intravenous\w*|dose)\b)"
    rf"|\b{DRUG} (?:is|are) (?:recommended|indicated|advised|required|warranted|needed|mandatory)\b"
    rf"|\b(?:is|are) (?:recommended|advised)\b|\bshould be (?:treated|started|operated|removed|drained|biopsied"
    rf"|resected)\b"
    rf"|\burgent (?:surgery|intervention|treatment|drainage) (?:is|should|must)\b",
    re.IGNORECASE,
)
SEE_A_DOCTOR = re.compile(
    r"\b(?:see|consult|ask|talk to|speak (?:to|with)|discuss (?:this|it) with) (?:your|a|the) "
    r"(?:\w+ )?(?:doctor|physician|radiologist|clinician|specialist|professional)\b",
    re.IGNORECASE,
)
"""No advice in the sense of the check."""

RESIDUE = re.compile(
    r"\{[a-z_]*\}|\[(?:insert|your|name|label|finding)[^\]]*\]|<(?!image>)/?[a-z_]{2,20}>|\b(?:nan|none|null"
    r"|undefined)\b(?=[.,]|$)"
    r"|\bTODO\b|\blorem ipsum\b|\\n|```|\bas an example answer\b",
    re.IGNORECASE,
)


def leak(text: str) -> bool:
    """Whether the text speaks of what its writer was given instead of what can be seen."""
    return LEAK.search(NOT_A_LEAK.sub(" ", text.replace("’", "'"))) is not None


def refusal(text: str) -> bool:
    """Whether the text declines instead of answering."""
    return REFUSAL.search(NOT_A_REFUSAL.sub(" ", text.replace("’", "'"))) is not None


def advice(text: str) -> bool:
    """Whether the text treats, prescribes or recommends; to refer to a doctor is allowed."""
    return ADVICE.search(SEE_A_DOCTOR.sub(" ", text)) is not None


def residue(text: str) -> bool:
    """Whether words of a template or of the answer's format are left in the text."""
    return RESIDUE.search(text) is not None


def gives_away(question: str, answer: str) -> bool:
    """Whether the question holds its own answer: all of a short answer's words that carry meaning."""
    words = set(re.findall(r"[a-z]{4,}", answer.lower())) - EVERYDAY
    if not words or len(words) > 6 or re.match(r"\s*(?:yes|no)\b", answer, re.IGNORECASE):
        return False
    return words <= set(re.findall(r"[a-z]{4,}", question.lower()))


EVERYDAY = frozenset({
    "this", "that", "there", "these", "those", "with", "which", "picture", "image", "shows", "show", "seen", "visible",
    "from", "have", "here", "does", "what", "where", "they", "their", "them", "patient", "appears", "present",
})  # fmt: skip


def problems(text: str, allow_advice: bool) -> Iterator[str]:
    """Codes of everything that is wrong with the wording."""
    if leak(text):
        yield "leak"
    if refusal(text):
        yield "refusal"
    if not allow_advice and advice(text):
        yield "advice"
    if residue(text):
        yield "residue"
