"""What a sentence on the telephone amounts to, by simple rules.

Shared by the practice model (what did the recipient just say?), by its analysis of transcripts
and by the practice people (is this the answer, or is the caller still looking it up?).
"""

import re
from enum import StrEnum


class Kind(StrEnum):
    """What an utterance is for."""

    NOTHING = "nothing"
    DO_NOT_CALL = "do_not_call"
    WRONG_NUMBER = "wrong_number"
    HOSTILE = "hostile"
    SCREENING = "screening"
    MENU = "menu"
    VOICEMAIL = "voicemail"
    PRESENCE = "presence"
    APPROACH = "approach"
    CALL_LATER = "call_later"
    HOLD = "hold"
    REPEAT = "repeat"
    IDENTITY = "identity"
    PURPOSE = "purpose"
    QUESTION = "question"
    REFUSAL = "refusal"
    AGREEMENT = "agreement"
    GOODBYE = "goodbye"
    GREETING = "greeting"
    STATEMENT = "statement"


_RULES: tuple[tuple[Kind, str], ...] = (
    (
        Kind.DO_NOT_CALL,
        r"(never|do ?n[o']?t|stop) (ever )?call(ing)?\b(?! back)|take (me|us|this number) off"
        r"|remove (me|us|my number|this number)",
    ),
    (Kind.WRONG_NUMBER, r"wrong number|nobody (here )?by that name"),
    (
        Kind.HOSTILE,
        r"(ignore|forget) (all |your |the |any )*(previous |prior )?instructions|system prompt",
    ),
    (Kind.SCREENING, r"(state|say|record) your name|reason for (your call|calling)|screening"),
    (Kind.MENU, r"\bpress (\d|star|pound|zero|one|two|three|four|five|six|seven|eight|nine)\b"),
    (
        Kind.VOICEMAIL,
        r"leave (a|your) (message|name)|after the (tone|beep)|voice ?mail|mailbox"
        r"|(can't|cannot|unable to) (take your call|come to the phone)",
    ),
    (Kind.GREETING, r"^(hello|hi|yes)[?!. ]*$"),
    (Kind.PRESENCE, r"(still|anybody|anyone) there\b"),
    (Kind.APPROACH, r"have a (moment|minute)\?|can you hear me\b|good (time|moment) to talk"),
    (
        Kind.CALL_LATER,
        r"\bcall(ing)? (me |us )?(back |again )?(later|after|at|in|tomorrow|tonight|next|on)\b"
        r"|\bcall (me|us)? ?(back|again)\b|not a good time|try again (later|tomorrow|after|at)",
    ),
    (
        Kind.HOLD,
        r"(please|stay|could you|can you) (please )?hold\b|hold (on|the line)|on hold|bear with (me|us)"
        r"|(one|just a|a) (moment|second|minute)|put(ting)? you (through|on)|take your time"
        r"|let me (check|see|look)|(still|just) (checking|looking)|still here|right with you"
        r"|thank you for (holding|your patience|waiting)",
    ),
    (
        Kind.REPEAT,
        r"did ?n[o']?t (catch|hear|understand)|say (that|it) again|(could|can) you repeat|pardon\b"
        r"|come again",
    ),
    (
        Kind.IDENTITY,
        r"who(m| is|'s)? (is |am i )?(this|calling|speaking|there)|are you (a |an )?(ro)?bot"
        r"|real person|a human|am i (talking|speaking) (to|with)",
    ),
    (
        Kind.PURPOSE,
        r"what (is|'s) (this|it) (about|regarding)|how (can|may) i help|missed (a|your) call|what can i do for",
    ),
    (Kind.QUESTION, r"\?|^(may i have|tell me|i('ll)? need (the|your|a|to know))\b"),
    (
        Kind.REFUSAL,
        r"not interested|no,? thank|(we|i) (can't|cannot|won't|will not|do not|don't) (do|accept|take|help|have)"
        r"|not possible|fully booked|we're closed",
    ),
    (
        Kind.AGREEMENT,
        r"\b(sure|certainly|of course|gladly|that works|works for (me|us)|all set|booked|confirmed|done"
        r"|no problem|agreed|you're in|sounds good|happy to|put you down|noted|that's right|correct)\b|^yes\b",
    ),
    (Kind.GOODBYE, r"\b(good)?bye\b|can't wait|have a (good|nice) (day|one|evening)"),
    (Kind.GREETING, r"^(hello|hi|good (morning|afternoon|evening)|speaking)\b|speaking\b"),
)
_COMPILED = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _RULES)

_WEIGHT = {kind: weight for weight, kind in enumerate(dict.fromkeys(kind for kind, _ in _COMPILED))}
_WEIGHT |= {Kind.STATEMENT: len(_WEIGHT), Kind.NOTHING: len(_WEIGHT) + 1}
SMALL_TALK = frozenset({Kind.HOLD, Kind.PRESENCE, Kind.GREETING, Kind.STATEMENT, Kind.NOTHING})
"""Kinds that only count when nothing weightier was said in the same turn."""

_STOPWORDS = frozenset(
    [
        "a",
        "an",
        "and",
        "any",
        "are",
        "as",
        "at",
        "be",
        "been",
        "but",
        "by",
        "can",
        "could",
        "did",
        "do",
        "does",
        "doing",
        "for",
        "from",
        "had",
        "has",
        "have",
        "he",
        "her",
        "here",
        "his",
        "how",
        "i",
        "i'd",
        "i'll",
        "i'm",
        "if",
        "in",
        "is",
        "it",
        "its",
        "just",
        "may",
        "me",
        "might",
        "my",
        "no",
        "not",
        "of",
        "on",
        "or",
        "our",
        "out",
        "please",
        "recipient",
        "say",
        "says",
        "she",
        "should",
        "so",
        "some",
        "tell",
        "than",
        "thank",
        "thanks",
        "that",
        "the",
        "their",
        "them",
        "then",
        "there",
        "they",
        "this",
        "to",
        "us",
        "was",
        "we",
        "were",
        "what",
        "what's",
        "when",
        "where",
        "which",
        "who",
        "whom",
        "why",
        "will",
        "with",
        "would",
        "yes",
        "you",
        "your",
        "yours",
        "ask",
        "asks",
        "asked",
        "need",
        "know",
        "let",
        "want",
        "like",
        "give",
        "call",
        "calling",
        "phone",
        "number's",
        "creator",
    ]
)


def normal(text: str) -> str:
    """The text with plain apostrophes and single spaces."""
    return " ".join(text.replace("’", "'").replace("‘", "'").split())


def kind_of_turn(text: str) -> Kind:
    """What a turn of several sentences is for: the weightiest of what its sentences are for."""
    kinds = {kind_of(sentence) for sentence in sentences(text)} or {Kind.NOTHING}
    return min(kinds, key=lambda kind: (kind in SMALL_TALK, _WEIGHT[kind]))


def kind_of(text: str) -> Kind:
    """What one sentence is for."""
    text = normal(text)
    if not text:
        return Kind.NOTHING
    return next((kind for kind, rule in _COMPILED if rule.search(text)), Kind.STATEMENT)


def sentences(text: str) -> list[str]:
    """The sentences of a text, trimmed."""
    return [
        part.strip() for part in re.split(r"(?<=[.!?])\s+|\n+", normal_lines(text)) if part.strip()
    ]


def normal_lines(text: str) -> str:
    """The text with every line normalised."""
    return "\n".join(normal(line) for line in text.splitlines())


def question_in(text: str) -> str:
    """The sentence of an utterance that asks something; the whole of it when none stands out."""
    asking = [sentence for sentence in sentences(text) if kind_of(sentence) is Kind.QUESTION]
    return asking[-1] if asking else normal(text)


def content_words(text: str) -> frozenset[str]:
    """The words that carry meaning, lower case, without a plural's s."""
    words = re.findall(r"[a-z0-9']+", normal(text).lower())
    return frozenset(
        word.removesuffix("'s").rstrip("s") or word for word in words if word not in _STOPWORDS
    )


def overlap(question: str, text: str) -> float:
    """The share of the question's meaningful words that occur in the text, 0 to 1."""
    asked = content_words(question)
    return len(asked & content_words(text)) / len(asked) if asked else 0.0


def options_in(text: str) -> list[str]:
    """What an either-or question offers ("mornings or afternoons?"), if it is one."""
    question = question_in(text)
    if not question.endswith("?") or " or " not in question:
        return []
    offered = re.split(r",\s*(?:or\s+)?|\s+or\s+", question.rstrip("?"))
    lead = (
        r"^(?:.*\b(?:prefer|like|want|need|have|take|choose|for|is it|be|suit you better)\b[:,]?\s+)"
        r"?(?:the\s+|an?\s+)?"
    )
    cleaned = [re.sub(lead, "", part.strip(), flags=re.IGNORECASE) for part in offered]
    return [part for part in cleaned if part and kind_of(part) is not Kind.GREETING][:4]


_WHEN = re.compile(
    r"\b((?:after|at|around|before|from) (?:about )?(?:\d{1,2}(?::\d{2})?(?: ?[ap]\.?m\.?)?|noon|lunch|one|two|three"
    r"|four|five|six|seven|eight|nine|ten|eleven|twelve)(?: o'clock)?(?: in the (?:morning|afternoon|evening))?"
    r"(?: (?:today|tomorrow|tonight|on \w+day))?|tomorrow(?: (?:morning|afternoon|evening))?|tonight"
    r"|next \w+|in (?:an?|\d+|half an) (?:hours?|minutes?|days?|weeks?)|on \w+day|later)\b",
    re.IGNORECASE,
)


def when_in(text: str) -> str | None:
    """The time that an utterance names ("after nine tomorrow"), or `None`."""
    match = _WHEN.search(normal(text))
    return match.group(0) if match else None


def menu_choices(text: str) -> list[tuple[str, str]]:
    """The (key, purpose) pairs that a phone menu reads out."""
    key = r"(\d|star|pound)"
    text = normal(text)
    pairs = re.findall(rf"for ([^,.;]+?),? press {key}", text, re.IGNORECASE)
    pairs += [
        (purpose, digit)
        for digit, purpose in re.findall(rf"press {key} (?:for|to) ([^,.;]+)", text, re.IGNORECASE)
    ]
    signs = {"star": "*", "pound": "#"}
    return [(signs.get(digit.lower(), digit), purpose.strip()) for purpose, digit in pairs]
