"""Where a conversation stands, and where it can go from there."""

from enum import StrEnum


class Phase(StrEnum):
    """The states of a voice session."""

    #: The model's session is being opened; the recipient is not on the line yet.
    CONNECTING = "connecting"
    #: The agent and the recipient talk.
    TALKING = "talking"
    #: They talk while the creator is being asked something.
    WAITING = "waiting"
    #: The agent has been told to end the call, or has decided to.
    SAYING_GOODBYE = "saying_goodbye"
    #: The line is cut; what is left is written down.
    ENDED = "ended"


#: The drawing in docs/voice.md is this table.
MOVES: dict[Phase, frozenset[Phase]] = {
    Phase.CONNECTING: frozenset({Phase.TALKING, Phase.ENDED}),
    Phase.TALKING: frozenset({Phase.WAITING, Phase.SAYING_GOODBYE, Phase.ENDED}),
    Phase.WAITING: frozenset({Phase.TALKING, Phase.SAYING_GOODBYE, Phase.ENDED}),
    Phase.SAYING_GOODBYE: frozenset({Phase.ENDED}),
    Phase.ENDED: frozenset(),
}
