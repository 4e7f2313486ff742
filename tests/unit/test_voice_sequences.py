"""Unit: whatever happens on a call, in whatever order, leaves a session that ends and is written."""

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opendeep_app.bus import CarrierEnded, HangUp
from opendeep_app.voice.phases import MOVES, Phase
from opendeep_app.voice.session import CallSession
from tests.fixtures.virtual_time import VirtualLoop
from tests.fixtures.voice_ends import FakeSocket
from tests.fixtures.voices import Stage, set_up


def answer(stage: Stage) -> None:
    if len(stage.questions) == 1:
        stage.answer("Lovelace")


def transcribe(stage: Stage, kind: str) -> None:
    stage.model.emit(
        f"conversation.item.input_audio_transcription.{kind}", item_id="u1", transcript="Yes."
    )


EVENTS: dict[str, Callable[[Stage], object]] = {
    "audio": lambda s: s.model.speak("a1"),
    "other audio": lambda s: s.model.speak("a2"),
    "audio done": lambda s: s.model.emit("response.output_audio.done", item_id="a1"),
    "spoken": lambda s: s.model.emit(
        "response.output_audio_transcript.done", item_id="a1", transcript="Hello."
    ),
    "breaks in": lambda s: s.model.emit("input_audio_buffer.speech_started", item_id="u1"),
    "falls silent": lambda s: s.model.emit("input_audio_buffer.speech_stopped", item_id="u1"),
    "understood": lambda s: transcribe(s, "completed"),
    "not understood": lambda s: transcribe(s, "failed"),
    "silence": lambda s: s.model.emit("input_audio_buffer.timeout_triggered", item_id="x"),
    "response": lambda s: s.model.respond(),
    "failed response": lambda s: s.model.respond(status="failed"),
    "begins a response": lambda s: s.model.emit("response.created", response={}),
    "asks": lambda s: s.model.respond(("request_user_info", {"question": "Which name?"})),
    "asks wrongly": lambda s: s.model.respond(("request_user_info", {})),
    "presses keys": lambda s: s.model.respond(("send_dtmf", {"digits": "1"})),
    "postpones": lambda s: s.model.respond(("reschedule_call", {"when": "tomorrow at nine"})),
    "leaves": lambda s: s.model.respond(("end_call", {"reason": "Done.", "outcome": "goal_met"})),
    "refused": lambda s: s.model.emit("error", error={"code": "x", "event_id": "respond"}),
    "has one already": lambda s: s.model.emit(
        "error",
        error={"code": "conversation_already_has_active_response", "event_id": "respond"},
    ),
    "played": lambda s: s.played(),
    "foreign mark": lambda s: s.session.line.mark_played("7:7:7"),
    "answer": answer,
    "database away": lambda s: setattr(s.db, "failures", 1),
    "model gone": lambda s: s.model.hang_up(),
    "line gone": lambda s: s.session.detach(s.socket.stream),
    "line broken": lambda s: s.session.detach(s.socket.stream, broken=True),
    "creator hangs up": lambda s: s.bus.queue.put_nowait(HangUp(call_id="call", reason="Stop.")),
    "carrier hangs up": lambda s: s.bus.queue.put_nowait(CarrierEnded(call_id="call")),
}
PAUSES = st.sampled_from([0.0, 0.0, 0.05, 0.5, 3.0, 12.0])
STEPS = st.lists(st.tuples(st.sampled_from([*EVENTS, "new stream", "key"]), PAUSES), max_size=25)


@settings(max_examples=300)
@given(STEPS)
def test_any_order_of_events_leaves_a_consistent_call(steps: list[tuple[str, float]]) -> None:
    with pytest.MonkeyPatch.context() as patch, asyncio.Runner(loop_factory=VirtualLoop) as runner:
        moves: list[tuple[Phase, Phase]] = []
        enter = CallSession._enter

        def watched(session: CallSession, phase: Phase) -> bool:
            before, moved = session.phase, enter(session, phase)
            if moved:
                moves.append((before, session.phase))
            return moved

        patch.setattr(CallSession, "_enter", watched)
        runner.run(live(patch, steps))
    assert all(after in MOVES[before] for before, after in moves)
    assert moves[-1][1] is Phase.ENDED


async def live(patch: pytest.MonkeyPatch, steps: list[tuple[str, float]]) -> None:
    stage = set_up(patch)
    await stage.begin()
    for event, pause in steps:
        if event == "new stream":
            socket = FakeSocket("MZ2")
            if stage.session.attach(socket.stream):
                stage.socket = socket
        elif event == "key":
            stage.session.key_pressed("1")
        else:
            EVENTS[event](stage)
        await stage.settle()
        if pause:
            await asyncio.sleep(pause)
    running = stage.running
    assert running is not None
    stage.session.detach(stage.socket.stream)
    # Only while keys are pressed is the end of a stream not the end of the call.
    async with asyncio.timeout(25):
        await running
    assert stage.model.closed
    assert len(stage.writes("closed")) == 1
    assert stage.written[-1][0] == "closed", "something was written after the end"
    assert asyncio.all_tasks() == {asyncio.current_task()}, "something outlived the call"
    for cut in stage.writes("truncated"):
        assert cut[1] >= 0
