"""The part of TwiML that the practice line understands, as a list of small verbs."""

from dataclasses import dataclass, field
from xml.etree import ElementTree


class InvalidTwimlError(ValueError):
    """The document is not TwiML, or uses a verb that the practice line does not know."""


@dataclass(frozen=True, slots=True)
class Say:
    """Speak this text to the recipient."""

    text: str


@dataclass(frozen=True, slots=True)
class Play:
    """Press keys; `w` waits half a second, `W` a second."""

    digits: str


@dataclass(frozen=True, slots=True)
class Pause:
    """Be silent for so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Redirect:
    """Go on with the document at this address."""

    url: str


@dataclass(frozen=True, slots=True)
class Stream:
    """Connect the call to a media socket; `action` is asked for more when it closes."""

    url: str
    parameters: dict[str, str] = field(default_factory=dict)
    action: str | None = None


@dataclass(frozen=True, slots=True)
class Hangup:
    """End the call."""


@dataclass(frozen=True, slots=True)
class Reject:
    """Do not take an inbound call."""

    reason: str


Verb = Say | Play | Pause | Redirect | Stream | Hangup | Reject


def parse(document: str) -> list[Verb]:
    """The verbs of a TwiML document. Raises `InvalidTwimlError`."""
    try:
        root = ElementTree.fromstring(document)
    except ElementTree.ParseError as error:
        raise InvalidTwimlError(f"not XML: {error}") from error
    if root.tag != "Response":
        raise InvalidTwimlError(f"the root is <{root.tag}>, not <Response>")
    return [_verb(element) for element in root]


def _verb(element: ElementTree.Element) -> Verb:
    text = (element.text or "").strip()
    match element.tag:
        case "Say":
            return Say("".join(element.itertext()).strip())
        case "Play" if "digits" in element.attrib:
            return Play(element.attrib["digits"])
        case "Pause":
            return Pause(float(element.get("length", "1")))
        case "Redirect":
            return Redirect(text)
        case "Hangup":
            return Hangup()
        case "Reject":
            return Reject(element.get("reason", "rejected"))
        case "Connect":
            stream = element.find("Stream")
            if stream is None or not stream.get("url"):
                raise InvalidTwimlError("<Connect> without a <Stream url>")
            parameters = {
                each.get("name", ""): each.get("value", "") for each in stream.findall("Parameter")
            }
            return Stream(stream.attrib["url"], parameters, element.get("action"))
        case tag:
            raise InvalidTwimlError(f"<{tag}> is not known on the practice line")
