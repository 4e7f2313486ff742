"""What is measured, in a process of its own on one core: our bridge, or the bare relay.

Prints where it listens as one JSON line; every line it is sent is answered by what it has used.
"""

import asyncio
import contextlib
import gc
import os
import resource
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import uvicorn
import uvloop
from twilio.request_validator import RequestValidator
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from benchmarks.processes import memory
from opendeep_app import migrations
from opendeep_app.collector import spare_collector
from opendeep_app.config import Settings
from opendeep_app.dependencies import dependencies
from opendeep_app.logs import configure_logs
from opendeep_app.models import Call, CallStatus, Task, TaskStatus, User
from opendeep_app.supervisor import ports
from opendeep_app.voice import gateway, twiml
from opendeep_app.voice import server as voice_server
from tests.fixtures.redis_servers import running_redis


@contextlib.asynccontextmanager
async def bare(model_port: int, calls: int) -> AsyncIterator[dict[str, Any]]:
    """Frames in, frames out, with the usual library and no logic."""

    async def relay(twilio: ServerConnection) -> None:
        url = f"ws://127.0.0.1:{model_port}/v1/realtime"
        async with connect(url, compression=None, max_queue=None) as model:
            sid = ""

            async def back() -> None:
                async for text in model:
                    event = orjson.loads(text)
                    if event["type"] == "response.output_audio.delta":
                        media = {"payload": event["delta"]}
                        message = {"event": "media", "streamSid": sid, "media": media}
                        await twilio.send(orjson.dumps(message).decode())

            backward = asyncio.create_task(back())
            with contextlib.suppress(ConnectionClosed):
                async for text in twilio:
                    message = orjson.loads(text)
                    if message["event"] == "media":
                        audio = message["media"]["payload"]
                        append = {"type": "input_audio_buffer.append", "audio": audio}
                        await model.send(orjson.dumps(append).decode())
                    elif message["event"] == "start":
                        sid = message["start"]["streamSid"]
            backward.cancel()

    async with serve(relay, "127.0.0.1", 0, compression=None, backlog=1024) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield {"port": port, "path": "/", "headers": {}, "calls": [("", "")] * calls}


@contextlib.asynccontextmanager
async def bridge(model_port: int, calls: int) -> AsyncIterator[dict[str, Any]]:
    """The gateway with its database, its Redis and calls that are being answered."""
    with tempfile.TemporaryDirectory(prefix="od-bench-", ignore_cleanup_errors=True) as directory:
        folder = Path(directory)
        with running_redis(folder / "redis.sock") as redis_url:
            settings = Settings.load(
                _env_file=None,
                data_dir=folder,
                redis_url=redis_url,
                database_url=f"sqlite:///{folder}/opendeep.db",
                practice_port=ports.free("127.0.0.1"),
                gateway_port=ports.free("127.0.0.1"),
            ).with_line()
            model_url = f"http://127.0.0.1:{model_port}/v1"
            settings = settings.model_copy(update={"openai_base_url": model_url})
            migrations.upgrade(settings.database_url)
            async with dependencies(settings) as deps:
                async with deps.db.unit_of_work() as uow:
                    rows = _rows(calls, uow.now)
                    for kind in (User, Task, Call):
                        uow.session.add_all([row for row in rows if isinstance(row, kind)])
                        await uow.session.flush()
                    ids = [row.id for row in rows if isinstance(row, Call)]
                app = gateway.build_app(deps)
                spare_collector()
                server = uvicorn.Server(voice_server.server_config(settings, app))
                serving = asyncio.create_task(server.serve())
                while not server.started:
                    await asyncio.sleep(0.01)
                validator = RequestValidator(settings.twilio_auth_token)
                signature = validator.compute_signature(twiml.media_url(settings), {})
                yield {
                    "port": settings.gateway_port,
                    "path": twiml.MEDIA_PATH,
                    "headers": {"X-Twilio-Signature": signature},
                    "calls": [(each, twiml.stream_token(settings, each, 0)) for each in ids],
                }
                server.should_exit = True
                await serving


def _rows(count: int, now: Any) -> list[User | Task | Call]:
    user = User(email="bench@example.com", name="Ada", created_at=now)
    rows: list[User | Task | Call] = [user]
    for number in range(count):
        phone = f"+1202{number:07d}"
        task = Task(
            user_id=user.id, phone_number=phone, goal="Book a table.", current_attempt_count=1,
            time_zone="America/New_York", status=TaskStatus.IN_PROGRESS, created_at=now,
            updated_at=now,
        )  # fmt: skip
        call = Call(
            task_id=task.id, attempt_number=1, phone_number=phone, status=CallStatus.RINGING,
            created_at=now,
        )  # fmt: skip
        rows += [task, call]
    return rows


def _used() -> dict[str, float]:
    gc.collect()
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "own_mb": memory("self"),
        "tasks": len(asyncio.all_tasks()),
        "sockets": _sockets(),
    }


def _sockets() -> int:
    """Open TCP sockets; Redis, whose client keeps a pool of connections, is on another kind."""
    rows = Path("/proc/self/net/tcp").read_text().splitlines()[1:]
    tcp = {f"socket:[{row.split()[9]}]" for row in rows}
    found = 0
    for descriptor in Path("/proc/self/fd").iterdir():
        # What lists the folder is itself listed.
        with contextlib.suppress(FileNotFoundError):
            found += str(descriptor.readlink()) in tcp
    return found


async def _main(kind: str, model_port: int, calls: int) -> None:
    loop = asyncio.get_running_loop()
    # What is logged, and printed by anybody else, goes elsewhere.
    out = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    configure_logs()
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    async with {"bridge": bridge, "bare": bare}[kind](model_port, calls) as where:
        out.write(orjson.dumps(where) + b"\n")
        while await lines.readline():
            out.write(orjson.dumps(_used()) + b"\n")


if __name__ == "__main__":
    os.sched_setaffinity(0, {int(sys.argv[4])})
    uvloop.run(_main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
