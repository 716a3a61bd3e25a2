"""Words that treat, prescribe or recommend."""

DRUG = (
    r"(?:antibiotics?|steroids?|corticosteroids?|aspirin|ibuprofen|paracetamol|acetaminophen|heparin|anticoagula\w+"
    r"|insulin|chemotherapy|radiotherapy|opioids?|diuretics?|furosemide|amoxicillin|metformin|statins?"
    r"|beta[- ]?blockers?|medications?|painkillers?|antivirals?|immunotherapy|vaccin\w+)"
)
TREATMENT = (
    r"(?:surgery|operation|biops(?:y|ies)|drainage|resection|thoracentesis|intubation|transfusion|excision"
    r"|decompression"
    r"|ventilation|admission|hospitali[sz]ation|physiotherapy|observation|treatment|therapy|intervention|referral"
    r"|lumbar puncture|plate|screws|fixation|replacement|removal|repair|amputation|endarterectomy)"
)
LOOKING = (
    r"(?:follow[- ]?up|ct|mri|ultrasound|scan|x-?ray|radiograph|mammogra\w+|endoscopy|colonoscopy|bronchoscopy"
    r"|examination|imaging|screening|monitoring|correlation|surveillance|blood tests?|workup|investigations?)"
)
ACTION = rf"(?:{DRUG}|{TREATMENT}|{LOOKING})"
DONE = (
    r"(?:treated|started|given|performed|repeated|followed[- ]?up|removed|replaced|drained|biopsied|resected|operated"
    r"|admitted|monitored|considered|done|obtained|referred|offered|hospitali[sz]ed|prescribed|administered|arranged"
    r"|scheduled|excised|investigated|checked|stopped|initiated|discussed|intubated|transfused)"
)
WISE = (
    r"(?:recommended|advised|suggested|advisable|indicated|warranted|needed|required|necessary|mandatory|wise|prudent"
    r"|offered|urgent|essential)"
)
MUST = r"(?:should|must|ought to|has to|have to|needs? to)"
ADVICE = (
    rf"\b{MUST} (?:\w+ly )?be (?:\w+ly )?{DONE}\b"
    rf"|\b(?:you|the patient|patients?|he|she|they) (?:should|must|needs? to|ought to|has to|have to) (?:\w+ly )?"
    rf"(?:start\w*|take|taking|undergo|receive|stop|avoid|rest|drink|have surgery|get|begin|continue)\b"
    rf"|\b(?:i|we) (?:would |strongly )?(?:recommend|advise|suggest|prescribe"
    rf"|propose) (?:\w+ ){{0,3}}?(?:{ACTION}|taking"
    rf"|starting|repeating|a dose|further|to take)\b"
    rf"|(?:^|[.!?;] )(?:please )?(?:consider|recommend|suggest|advise|repeat|perform|obtain|schedule"
    rf"|arrange) (?:\w+ ){{0,5}}?"
    rf"{ACTION}\b"
    rf"|\b(?:treatment|therapy|management) (?:with|should|includes?|consists?|is|would|options?|of choice)\b"
    rf"(?! (?:not|seen|unknown))"
    rf"|\b(?:start|administer|prescribe|give|begin|take|initiate|stop|continue)(?: taking)? (?:\w+ ){{0,2}}?{DRUG}\b"
    rf"|\b\d+(?:\.\d+)? ?(?:mg|mcg|µg|units|ml)(?:/kg)?\b(?=[^.]*\b(?:daily|twice|every|per day|orally|iv"
    rf"|intravenous\w*|dose)\b)"
    rf"|\b{ACTION}\b[^.;:]{{0,40}}? (?:is|are|would be|may be|can be|should be) (?:\w+ly )?{WISE}\b"
    rf"|\b(?:is|are) (?:\w+ly )?(?:recommended|advised|advisable)\b(?! neither)"
    rf"|\b(?:needs?|requires?|calls? for|would benefit from|benefits? from|warrants?|necessitates?|demands?"
    rf"|should undergo) "
    rf"(?:\w+ ){{0,2}}?{ACTION}\b"
    rf"|\b{ACTION} (?:should|must) (?:follow|be)\b|\bfollow[- ]?up (?:\w+ )?in (?:\w+ )?(?:days?|weeks?|months?"
    rf"|years?)\b"
    rf"|\bit is (?:best|advisable|important|wise|necessary) (?:for you )?to (?:have|get|take|undergo|see|start"
    rf"|stop|remove)\b"
    rf"|(?:^|[.!?;] )(?:please )?(?:avoid \w+ing|apply (?:ice|heat|cold|cream|pressure)|keep the \w+ (?:raised"
    rf"|elevated|dry"
    rf"|still|clean)|drink (?:more|plenty))\b"
)
HARMLESS = (
    r"\b(?:see|consult|ask|talk to|speak (?:to|with)|discuss (?:this|it) with) (?:your|a|the) (?:\w+ )?"
    r"(?:doctor|physician|radiologist|clinician|specialist|professional)\b"
)
"""To refer to a doctor is no advice in the sense of the check."""
TRIGGERS = frozenset({
    "treat", "start", "given", "perfo", "repea", "follo", "remov", "repla", "drain", "biops", "resec", "opera",
    "admit",
    "monit", "consi", "done", "obtai", "refer", "offer", "hospi", "presc", "admin", "arran", "sched", "excis",
    "inves",
    "check", "stopp", "initi", "discu", "intub", "trans", "take", "takin", "under", "recei", "stop", "avoid", "rest",
    "drink", "surge", "get", "begin", "conti", "recom", "advis", "sugge", "propo", "thera", "manag", "give",
    "mg", "mcg",
    "g", "unit", "units", "ml", "indic", "warra", "requi", "neces", "manda", "wise", "prude", "urgen", "essen",
    "need",
    "neede", "needs", "call", "calls", "benef", "deman", "best", "impor", "apply", "keep", "shoul", "must",
})  # fmt: skip
