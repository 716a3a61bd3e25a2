"""Words by which a model declines instead of answering."""

CANNOT = (
    r"(?:can ?not|can't|could ?not|couldn't|(?:am|was) (?:un|not )able to|'m (?:un|not )able to|do not|don't|will not"
    r"|won't(?: be able to)?|am not (?:allowed|permitted|in a position|qualified|trained) to|may not|must not)"
)
SERVE = r"(?:provide|assist|help|comply|answer|offer|diagnose|comment|fulfil\w*|process|work with|interact)"
LOOK = (
    r"(?:make|determine|give|interpret|analy[sz]e|read|examine|describe|identify|evaluate|view|access|open|display"
    r"|look at|have access to)"
)
IMAGE = (
    r"(?:images?|pictures?|photos?|photographs?|scans?|x-?rays?|films?|files?|attachments?|visual content|message"
    r"|slide)"
)
FINDING = r"(?! (?:any|no|a|an|evidence|signs?|other|further|anything|more|finding|what)\b)"
"""Behind an inability to see: a finding is denied, and nothing refused."""
REFUSAL = (
    rf"\bi ?{CANNOT} (?:directly |actually |currently |really |even )?(?:{SERVE}\b|{LOOK}\b{FINDING})"
    rf"|\bi ?{CANNOT} (?:identify|describe|determine|say|tell) what\b"
    rf"|\bi ?{CANNOT} (?:directly |actually |currently )?see (?:the |this |that |your |any )?{IMAGE}\b"
    rf"|\bi (?:do not|don't|lack|have no)(?: have)? (?:the |any )?(?:ability|capabilit\w+|training|means|access"
    rf"|eyes|vision)\b"
    rf"|\bi (?:must|have to|would rather|need to|should|will) (?:respectfully )?(?:decline|refuse|not (?:say"
    rf"|answer|diagnose))\b"
    rf"|\b(?:as|being) an? (?:\w+[- ]){{0,2}}(?:ai|language model|assistant|chatbot|model)\b|\bas an ai\b"
    rf"|\bi(?:'m| am) (?:only |just |merely )?an? (?:\w+[- ]){{0,2}}(?:ai|model|assistant|system|program|chatbot)\b"
    rf"|\bi can only (?:work|process|handle|read|help|deal)\b"
    rf"|\b(?:i(?:'m| am) )?sorry,? (?:but |i )|\bi(?:'m| am) (?:sorry|afraid)\b|\bmy apologies\b|\bi apologi[sz]e\b"
    rf"|\b(?:not possible|impossible|inappropriate|not appropriate) for me to\b"
    rf"|\bmy (?:guidelines|polic\w+|programming|rules|instructions) (?:do|does|prevent|forbid|prohibit)\w*\b"
    rf"|\bagainst my (?:guidelines|policy|programming)\b"
    rf"|\bno {IMAGE} (?:(?:was|is|has been) )?(?:provided|attached|visible to me|uploaded|included|available)\b"
    rf"|\b{IMAGE} (?:is not|was not|isn't|wasn't|cannot be|could not be|did not|does not|failed to|seems? to be"
    rf"|appears? to be) (?:provided|attached|display\w*|load\w*|open\w*|available|upload\w*|missing|come through)\b"
    rf"|\b(?:please|could you|can you|would you|you would need to|kindly) (?:please )?"
    rf"(?:provide|upload|attach|share|send|consult|resend) (?:me )?(?:the|an|your|a|this) (?:\w+ )?{IMAGE}\b"
    rf"|\b(?:unable|not able) to (?:view|see|access|assist|provide|analy[sz]e|process|determine this)\b"
    rf"|\bcannot (?:view|assist|comply)\b|\brequest cannot be\b|\bconsult (?:the )?(?:original|actual) image\b"
)
HARMLESS = (
    r"\bi(?:'m| am) afraid (?:that )?(?:there|the|it|this|your|you|we)\b"
    r"|\bi(?:'m| am) sorry,? (?:to (?:say|tell|hear)|that you|you|for (?:the|your) (?:wait|worry|pain))\b"
    r"|\bi can(?:not|'t) (?:help|but) (?:noticing|notice)\b|\bnot able to (?:empty|drain|relax|close)\b"
)
TRIGGERS = frozenset({
    "i", "me", "provi", "attac", "uploa", "inclu", "avail", "displ", "load", "loade", "loadi", "open", "opene",
    "openi", "missi", "throu", "share", "send", "consu", "resen", "unabl", "able", "canno", "reque", "apolo", "sorry",
    "ai", "langu", "assis", "chatb", "model", "guide", "polic", "progr", "rules", "instr",
})  # fmt: skip
