"""A small gateway for the practice line's tests: the real `openai` client on one side, the
network's media socket on the other, and nothing in between but base64.

It stands where the product's gateway stands, so that what these tests find wrong is the
practice line's own.
"""

import asyncio
import contextlib
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from openai import AsyncOpenAI
from openai.resources.realtime.realtime import AsyncRealtimeConnection
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from opendeep_app.practice.server import PracticeSettings, server_config

SETTINGS = PracticeSettings(
    account_sid="AC" + "0" * 32, auth_token="test-token", api_key="practice-key", speed=20
)
BRIEF = """\
<principal>Ada Lovelace</principal>
<goal>Move Ada's dentist appointment to next week</goal>
<context>Mornings only.</context>
<facts>
{facts}
</facts>
<opening>Hello, this is an AI assistant calling on behalf of Ada Lovelace.</opening>
"""


def tool(name: str, *required: str) -> dict[str, Any]:
    parameters = {
        "type": "object",
        "properties": {each: {"type": "string"} for each in required},
        "required": list(required),
    }
    return {"type": "function", "name": name, "description": name, "parameters": parameters}


TOOLS: Any = [
    tool("request_user_info", "question", "recipient_message"),
    tool("end_call", "reason", "outcome"),
    tool("send_dtmf", "digits"),
    tool("reschedule_call", "when", "reason"),
]


@contextlib.asynccontextmanager
async def serving(config: uvicorn.Config) -> AsyncIterator[str]:
    """Runs a server on a free loopback port; yields its address without a scheme."""
    config.port = 0
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    task = asyncio.create_task(server.serve())
    try:
        while not server.started:
            await asyncio.sleep(0.005)
        yield f"127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


async def until(condition: Callable[[], object], seconds: float = 20) -> None:
    """Polls a condition against a deadline."""
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


Tamper = Callable[[dict[str, Any]], Sequence[dict[str, Any]]]


@dataclass
class Bridge:
    """Answers the network's webhooks and joins each media stream to a model session."""

    practice: str
    facts: str = ""
    answer: str | None = None
    """What the creator answers to a question; `None`: nothing."""
    tamper: Tamper | None = None
    """Changes what arrives from the line on its way to the model, message by message."""
    address: str = ""
    statuses: dict[str, list[dict[str, str]]] = field(default_factory=lambda: defaultdict(list))
    transcript: list[tuple[str, str]] = field(default_factory=list)
    functions: list[tuple[str, str]] = field(default_factory=list)
    events: list[Any] = field(default_factory=list)
    forged: int = 0
    machine: list[str] = field(default_factory=list)
    streams: int = 0
    pressing: dict[str, "_Session"] = field(default_factory=dict)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    answer_given: asyncio.Event = field(default_factory=asyncio.Event)

    def client(self) -> Client:
        client = Client(SETTINGS.account_sid, SETTINGS.auth_token)
        client.api.base_url = f"http://{self.practice}"
        return client

    async def twilio(self, work: Callable[[Client], Any]) -> Any:
        """Runs a piece of work with the real (synchronous) Twilio client."""
        return await asyncio.to_thread(work, self.client())

    async def call(self, number: str, **options: Any) -> str:
        """Places a call through the real client; returns its SID."""
        created = await self.twilio(
            lambda client: client.calls.create(
                to=number,
                from_=SETTINGS.from_number,
                url=f"http://{self.address}/twilio/voice",
                status_callback=f"http://{self.address}/twilio/status",
                status_callback_event=["initiated", "ringing", "answered", "completed"],
                **options,
            )
        )
        return str(created.sid)

    async def press(self, sid: str, digits: str) -> None:
        """Presses keys the documented way: by replacing the running program."""
        program = f'<Response><Play digits="{digits}"/>{self._connect(sid)}</Response>'
        await self.twilio(lambda client: client.calls(sid).update(twiml=program))

    async def ended(self, sid: str, seconds: float = 25) -> list[str]:
        """Waits for the call's end; returns the statuses that were called back."""
        final = {"completed", "busy", "no-answer", "failed", "canceled"}
        await until(
            lambda: any(form["CallStatus"] in final for form in self.statuses[sid]), seconds
        )
        return [form["CallStatus"] for form in self.statuses[sid]]

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/twilio/voice", self._signed(self._voice), methods=["POST"]),
                Route("/twilio/inbound", self._signed(self._voice), methods=["POST"]),
                Route("/twilio/status", self._signed(self._status), methods=["POST"]),
                Route("/twilio/amd", self._signed(self._amd), methods=["POST"]),
                WebSocketRoute("/twilio/media", self._media),
            ]
        )

    def _signed(
        self, handler: Callable[[dict[str, str]], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def checked(request: Request) -> Response:
            form = {key: str(value) for key, value in (await request.form()).items()}
            signature = request.headers.get("x-twilio-signature", "")
            url = f"http://{self.address}{request.url.path}"
            if not RequestValidator(SETTINGS.auth_token).validate(url, form, signature):
                self.forged += 1
                return Response(status_code=403)
            return await handler(form)

        return checked

    async def _voice(self, form: dict[str, str]) -> Response:
        body = f"<Response>{self._connect(form['CallSid'])}</Response>"
        return Response(body, media_type="application/xml")

    def _connect(self, sid: str) -> str:
        return (
            f'<Connect><Stream url="ws://{self.address}/twilio/media">'
            f'<Parameter name="call" value="{sid}"/></Stream></Connect>'
        )

    async def _status(self, form: dict[str, str]) -> Response:
        self.statuses[form["CallSid"]].append(form)
        return Response(status_code=204)

    async def _amd(self, form: dict[str, str]) -> Response:
        self.machine.append(form["AnsweredBy"])
        return Response(status_code=204)

    async def _media(self, socket: WebSocket) -> None:
        url = f"ws://{self.address}/twilio/media"
        signature = socket.headers.get("x-twilio-signature", "")
        if not RequestValidator(SETTINGS.auth_token).validate(url, {}, signature):
            self.forged += 1
            await socket.close()
            return
        await socket.accept()
        self.streams += 1
        assert (await socket.receive_json())["event"] == "connected"
        start = await socket.receive_json()
        call_sid = start["start"]["callSid"]
        assert start["start"]["customParameters"] == {"call": call_sid}
        earlier = self.pressing.pop(call_sid, None)
        if earlier:
            earlier.socket, earlier.stream_sid = socket, start["streamSid"]
            await earlier.run()
            return
        openai = AsyncOpenAI(api_key=SETTINGS.api_key, base_url=f"http://{self.practice}/v1")
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(openai)
            model = await stack.enter_async_context(
                openai.realtime.connect(model="gpt-realtime-2.1")
            )
            await model.session.update(
                session={
                    "type": "realtime",
                    "instructions": BRIEF.format(facts=self.facts),
                    "tools": TOOLS,
                    "audio": {
                        "input": {
                            "format": {"type": "audio/pcmu"},
                            "transcription": {"model": "gpt-transcribe"},
                        },
                        "output": {"format": {"type": "audio/pcmu"}},
                    },
                }
            )
            await model.response.create()
            session = _Session(self, socket, model, start["streamSid"], call_sid)
            await session.run()
            if self.pressing.get(call_sid) is session:
                # The model's session outlives the stream that the key presses replace.
                stack.pop_all()


@dataclass
class _Session:
    bridge: Bridge
    socket: WebSocket
    model: AsyncRealtimeConnection
    stream_sid: str
    call_sid: str
    ending: bool = False
    playing: str = ""
    played_ms: int = 0
    sent_ms: int = 0

    async def run(self) -> None:
        tasks = [asyncio.create_task(self._from_line()), asyncio.create_task(self._from_model())]
        done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        with contextlib.suppress(RuntimeError, WebSocketDisconnect):
            await self.socket.close()
        for task in done:
            task.result()

    async def _from_line(self) -> None:
        while True:
            try:
                message = await self.socket.receive_json()
            except WebSocketDisconnect:
                return
            if message["event"] == "stop":
                return
            if message["event"] == "mark":
                name = message["mark"]["name"]
                if name == "goodbye":
                    return
                item_id, _, milliseconds = name.partition(":")
                if item_id == self.playing:
                    self.played_ms = int(milliseconds)
            if message["event"] == "media":
                tamper = self.bridge.tamper
                for each in tamper(message) if tamper else (message,):
                    await self.model.input_audio_buffer.append(audio=each["media"]["payload"])

    async def _from_model(self) -> None:
        async for event in self.model:
            self.bridge.events.append(event)
            kind = str(event.type)
            if kind == "error":
                raise AssertionError(event)
            if event.type == "response.output_audio.delta":
                if event.item_id != self.playing:
                    self.playing, self.sent_ms, self.played_ms = event.item_id, 0, 0
                self.sent_ms += len(event.delta) * 3 // 4 // 8
                await self._send("media", media={"payload": event.delta})
                await self._send("mark", mark={"name": f"{event.item_id}:{self.sent_ms}"})
            elif event.type == "input_audio_buffer.speech_started":
                await self._interrupt()
            elif event.type == "response.output_audio_transcript.done":
                self.bridge.transcript.append(("agent", event.transcript))
            elif event.type == "conversation.item.input_audio_transcription.completed":
                self.bridge.transcript.append(("recipient", event.transcript))
            elif event.type == "response.function_call_arguments.done":
                self.bridge.functions.append((event.name, event.arguments))
                if event.name == "request_user_info":
                    self.bridge.asked.set()
                asyncio.get_running_loop().create_task(
                    self._act(event.name, event.arguments, event.call_id)
                )

    async def _interrupt(self) -> None:
        if self.playing and self.played_ms < self.sent_ms and not self.ending:
            await self._send("clear")
            await self.model.conversation.item.truncate(
                item_id=self.playing, content_index=0, audio_end_ms=self.played_ms
            )
            self.playing = ""

    async def _act(self, name: str, arguments: str, call_id: str) -> None:
        if name == "end_call":
            self.ending = True
            await self._send("mark", mark={"name": "goodbye"})
            return
        output = '{"status": "done"}'
        if name == "send_dtmf":
            self.bridge.pressing[self.call_sid] = self
            await self.bridge.press(self.call_sid, json.loads(arguments)["digits"])
        if name == "request_user_info":
            await self.bridge.answer_given.wait()
            output = json.dumps({"answer": self.bridge.answer})
        await self.model.conversation.item.create(
            item={"type": "function_call_output", "call_id": call_id, "output": output}
        )
        await self.model.response.create()

    async def _send(self, event: str, **content: Any) -> None:
        with contextlib.suppress(RuntimeError, WebSocketDisconnect):
            await self.socket.send_json({"event": event, "streamSid": self.stream_sid, **content})


@contextlib.asynccontextmanager
async def practice_line(settings: PracticeSettings = SETTINGS) -> AsyncIterator[Bridge]:
    """The practice line and a bridge, both listening."""
    async with serving(server_config(settings, "127.0.0.1", 0)) as practice:
        bridge = Bridge(practice)
        config = uvicorn.Config(
            bridge.app(), host="127.0.0.1", log_level="warning", timeout_graceful_shutdown=2
        )
        async with serving(config) as address:
            bridge.address = address
            yield bridge
