"""Words that betray that the writer was given more than the picture."""

GIVEN = r"(?:given|provided|supplied|accompanying|attached|associated|aforementioned|above|stated|listed|enclosed)"
TELLING = (
    r"(?:reference|context|facts?|labels?|descriptions?|reports?|notes|information|text|data|records?|legend"
    r"|instructions?|prompt|dataset|article|paper|history|questionnaire)"
)
"""What may be given, and may also be spoken of otherwise."""
ALWAYS = (
    r"(?:captions?|captioned|ground truth|bounding box(?:es)?|figure (?:legend|text)|metadata|annotators?|json"
    r"|segmentation masks?)"
)
"""What nobody sees in a picture."""
SAYS = (
    r"(?:say|state|mention|indicate|describe|list|note|give|confirm|tell|explain|call|put|place|name|point|ask|report"
    r"|reveal|contain|include|identify|identifie|specify|specifie|rule out|label|define|agree|document)(?:s|d|ed)?"
)
BY = (
    r"(?:according to|based on|as per|per|judging by|going by|following|in line with"
    r"|(?:as |is |are |was |were )?(?:stated|mentioned|described|noted|indicated|given|listed|explained|documented"
    r"|provided|reported) (?:in|by))"
)
DRAWN = r"(?:drawn|placed|marks?|marking|marked|around|surround\w*|outlin\w+|enclos\w+|highlights?|indicates?)"
LEAK = (
    rf"\b{ALWAYS}\b"
    rf"|\b(?:the|this|that|an?|expert|from|by|per|to|your|these|those) (?:\w+ )?annotations?\b(?! (?:visible|burned))"
    rf"|\b{GIVEN} (?:\w+ )?{TELLING}\b|\b(?:supplied|provided|given) findings\b"
    rf"|\b{TELLING} (?:that (?:was|were|is|i was) |i was |i am |as |listed |which (?:was|were) )?"
    rf"(?:given|provided|supplied|above|enclosed)\b"
    rf"|\b{BY} (?:the|this|its|your|my|these|that) (?:\w+ ){{0,2}}?{TELLING}\b"
    rf"|\b(?:in|from) (?:the|this|your|my) (?:\w+ )?(?:descriptions?|notes|records?|report|caption)\b(?! of the)"
    rf"|\b(?:the|this|my|your|its) (?:\w+ )?{TELLING} (?:also |clearly |explicitly |further |does not |do not "
    rf"|did not )?"
    rf"{SAYS}\b(?! r\b| l\b)"
    rf"|\bas the legend\b|\bgiven (?:the|this|its) labels?\b"
    rf"|\b(?:is|are|was|were|been|being|as) (?:annotated|labell?ed|captioned|tagged|mentioned|listed|marked) "
    rf"(?:as|in|with|above|here|by)\b"
    rf"|\b(?:annotated|labell?ed) (?:as|region|area|box|lesion|finding|tumou?r)\b"
    rf"|\blabels? (?:this|it|the \w+) as\b"
    rf"|\b(?:i|we) (?:was|were|am|are|have been|had been) (?:told|given|informed|provided|instructed)\b"
    rf"(?! that (?:you|she|he))|\bas (?:told|given|informed|provided)\b"
    rf"|\bmy (?:instructions?|reference|prompt)\b|</?reference>|\breference (?:block|text|marks)\b"
    rf"|\b(?:reveal|mention)\w* the reference\b"
    rf"|\bbox(?:es)? (?:is |are |was |were )?{DRAWN}\b|\b(?:red|green|yellow|blue|colou?red|drawn) box(?:es)?\b"
    rf"|\bthe masks? (?:covers?|shows?|outlin\w+|marks?|delineat\w+|indicates?)\b"
)
HARMLESS = (
    r"\b(?:r?adiotracer[- ]labell?ed|labell?ed (?:red|white) (?:blood )?cells?|antibody[- ]labell?ed"
    r"|fluorescently labell?ed|lead labels?|(?:marked|labell?ed) (?:by|with) (?:a |an |their |its |central )?"
    r"(?:decrease|increase|arrow|contrast|tracer|dense|bright|thick|necrosis|oedema|edema|fibrosis)\w*"
    r"|marked by (?:a |an |its |their )?\w+"
    r"|clinical (?:context|information)|history (?:given|provided)"
    r"|(?:give|write|suggest|provide|compose) (?:me )?(?:a|one|the|an) (?:\w+ ){0,2}captions?|captions? (?:this|the)"
    r"|reference (?:line|range|values?|standard|frame|level|point|scale|image)|text burned)\b"
)
TRIGGERS = frozenset({
    "capti", "annot", "groun", "bound", "figur", "metad", "json", "segme", "refer", "conte", "fact", "facts", "label",
    "descr", "repor", "notes", "infor", "text", "data", "datas", "recor", "legen", "instr", "promp", "artic", "paper",
    "histo", "quest", "suppl", "provi", "given", "tagge", "menti", "liste", "marke", "told", "box", "boxes", "mask",
    "masks",
})  # fmt: skip
