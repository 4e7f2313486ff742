"""Measures the bridge and the bare relay; prints one JSON line. See docs/benchmarks.md."""

import argparse
import asyncio
import contextlib
import json
import os
import random
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import uvloop

from benchmarks.voice.ends import Call, Exchange
from opendeep_app.supervisor.parts import FRUGAL

WARM_UP = 2.0
SUBJECTS = ("bare", "bridge")
#: Who is measured has one core to itself; both ends and the clock have another.
SUBJECTS_CORE, *_, ENDS_CORE = sorted(os.sched_getaffinity(0))


@dataclass
class Line:
    """One subject with its calls, in fresh processes."""

    exchange: Exchange
    calls: list[tuple[str, str]]
    process: asyncio.subprocess.Process

    async def used(self) -> dict[str, Any]:
        """What the subject has used so far."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(b"\n")
        used: dict[str, Any] = json.loads(await self.process.stdout.readline())
        return used


@contextlib.asynccontextmanager
async def line(subject: str, calls: int) -> AsyncIterator[Line]:
    """Starts a subject; everything is gone afterwards."""
    exchange = Exchange()
    async with await exchange.serve_model() as server:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "benchmarks.voice.subjects", subject),
            *(str(server.sockets[0].getsockname()[1]), str(calls), str(SUBJECTS_CORE)),
            env={**FRUGAL, **os.environ},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            limit=2**24,
        )
        assert process.stdout is not None and process.stdin is not None
        talking = asyncio.create_task(exchange.talk())
        try:
            where = json.loads(await process.stdout.readline())
            exchange.port, exchange.path = where["port"], where["path"]
            exchange.headers = where["headers"]
            yield Line(exchange, where["calls"], process)
        finally:
            talking.cancel()
            exchange.live.clear()
            for call in exchange.calls:
                call.end.transport.abort()
            process.stdin.close()
            try:
                async with asyncio.timeout(20):
                    await process.wait()
            except TimeoutError:
                process.kill()


async def relaying(subject: str, calls: int, seconds: float) -> dict[str, Any]:
    """Latency there and back, what happened to the frames, and the cost."""
    async with line(subject, calls) as measured:
        exchange = measured.exchange
        live = await exchange.begin(measured.calls)
        async with asyncio.timeout(60):
            while not all(call.echoed for call in live):
                await asyncio.sleep(0.05)
        await asyncio.sleep(WARM_UP)
        before = await measured.used()
        exchange.results.counting = True
        await asyncio.sleep(seconds)
        exchange.results.counting = False
        after = await measured.used()
    results = exchange.results
    minutes = calls * seconds / 60
    return {
        "p50_ms": _at(results.latencies, 0.5),
        "p99_ms": _at(results.latencies, 0.99),
        "frames": len(results.latencies),
        "lost": results.lost,
        "reordered": results.reordered,
        "altered": results.altered,
        "cpu_ms_per_call_minute": round(
            (after["cpu_seconds"] - before["cpu_seconds"]) * 1000 / minutes, 1
        ),
    }


async def breaking_in(calls: int, seconds: float) -> dict[str, Any]:
    """From the model's notice to the carrier's `clear`, and how well we know what was heard."""
    async with line("bridge", calls) as measured:
        exchange = measured.exchange
        live = await exchange.begin(measured.calls)
        await asyncio.sleep(WARM_UP)
        dice = random.Random(1)
        for _ in range(max(1, round(seconds * 10))):
            call = dice.choice(live)
            call.prepare_to_break_in()
            await asyncio.sleep(0.08 + dice.random() / 4)
            call.break_in()
            await asyncio.sleep(0.05)
            call.echoes = True
        results = exchange.results
        errors = [milliseconds / 1000 for milliseconds in results.truncate_errors_ms]
        return {
            "n": len(results.clears),
            "clear_p95_ms": _at(results.clears, 0.95),
            "truncations": len(errors),
            "truncate_error_p95_ms": _at(errors, 0.95),
            "truncate_error_max_ms": _at(errors, 1.0),
        }


async def hanging_up(calls: int) -> dict[str, Any]:
    """From the end of the media socket to the end of the model's session, whatever it is doing."""
    ways: dict[str, Callable[[Call], None]] = {
        "stop": lambda call: call.hang_up(),
        "socket_killed": lambda call: call.hang_up(kill=True),
        "model_deaf": lambda call: call.hang_up(model_deaf=True),
    }
    worst = {}
    for name, way in ways.items():
        async with line("bridge", calls) as measured:
            exchange = measured.exchange
            live = await exchange.begin(measured.calls)
            await asyncio.sleep(WARM_UP)
            for call in live:
                exchange.live.discard(call)
                way(call)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(10):
                    await asyncio.gather(*(call.over.wait() for call in live))
            closings = exchange.results.closings
            worst[f"{name}_max_ms"] = _at(closings, 1.0)
            worst["not_closed"] = worst.get("not_closed", 0) + len(live) - len(closings)
    return worst


async def remembering(calls: int, many: int) -> dict[str, Any]:
    """What a live call holds, and what stays after very many."""
    async with line("bridge", many) as measured:
        exchange = measured.exchange
        waiting = list(measured.calls)
        await _come_and_go(exchange, waiting, 10)
        idle = await measured.used()
        live = await exchange.begin([waiting.pop() for _ in range(min(calls, len(waiting)))])
        await asyncio.sleep(WARM_UP)
        busy = await measured.used()
        await _all_hang_up(exchange, live)
        held = [(await measured.used())["own_mb"]]
        while waiting:
            await _come_and_go(exchange, waiting, calls)
            held.append((await measured.used())["own_mb"])
        after = await measured.used()
    return {
        "idle_mb": round(idle["own_mb"], 1),
        "mb_per_live_call": round((busy["own_mb"] - idle["own_mb"]) / len(live), 3),
        "after_calls": many,
        "after_each_crowd_mb": [round(mb) for mb in held],
        "after_ratio": round(after["own_mb"] / idle["own_mb"], 3),
        "tasks_left": after["tasks"] - idle["tasks"],
        "sockets_left": after["sockets"] - idle["sockets"],
    }


async def soaking(calls: int, seconds: float) -> dict[str, Any]:
    """Random hang-ups, killed sockets and interruptions; nothing may stay behind."""
    async with line("bridge", calls * 6 + 10) as measured:
        exchange, waiting = measured.exchange, list(measured.calls)
        await _come_and_go(exchange, waiting, 10)
        idle, dice = await measured.used(), random.Random(1)
        live = await exchange.begin([waiting.pop() for _ in range(calls)])
        loop = asyncio.get_running_loop()
        until, ended = loop.time() + seconds, 0
        while loop.time() < until:
            await asyncio.sleep(seconds / calls / 8)
            call = dice.choice(live)
            if dice.random() < 0.4 and waiting:
                exchange.live.discard(call)
                live.remove(call)
                call.hang_up(kill=dice.random() < 0.5)
                ended += 1
                live += await exchange.begin([waiting.pop()])
            else:
                call.break_in()
        await _all_hang_up(exchange, live)
        after = await measured.used()
        closings = exchange.results.closings
        return {
            "ended": ended + calls,
            "model_closed_max_ms": _at(closings, 1.0),
            "not_closed": sum(not call.over.is_set() for call in exchange.calls),
            "tasks_left": after["tasks"] - idle["tasks"],
            "sockets_left": after["sockets"] - idle["sockets"],
        }


async def _come_and_go(exchange: Exchange, waiting: list[tuple[str, str]], calls: int) -> None:
    live = await exchange.begin([waiting.pop() for _ in range(min(calls, len(waiting)))])
    await asyncio.sleep(0.5)
    await _all_hang_up(exchange, live)


async def _all_hang_up(exchange: Exchange, calls: list[Call]) -> None:
    for call in calls:
        exchange.live.discard(call)
        call.hang_up()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(20):
            await asyncio.gather(*(call.over.wait() for call in calls))
    await asyncio.sleep(1.5)


def _at(seconds: list[float], share: float) -> float:
    """A quantile in milliseconds; -1 of nothing."""
    ordered = sorted(seconds)
    if not ordered:
        return -1
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000, 2)


def _run(work: Coroutine[Any, Any, dict[str, Any]]) -> dict[str, Any]:
    return uvloop.run(work)


def main() -> None:
    """Runs what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.voice", description=__doc__)
    parser.add_argument("--calls", type=int, nargs="+", default=[1, 10, 50, 100, 150])
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--soak-seconds", type=float, default=30)
    parser.add_argument("--many", type=int, default=2000, help="calls after which memory is read")
    parser.add_argument(
        "--parts",
        nargs="+",
        choices=["relay", "barge-in", "hang-up", "memory", "soak"],
        default=["relay", "barge-in", "hang-up", "memory", "soak"],
    )
    wanted = parser.parse_args()
    os.sched_setaffinity(0, {ENDS_CORE})
    found: dict[str, Any] = {}
    middle = min(50, max(wanted.calls))
    if "relay" in wanted.parts:
        found["relay"] = {}
        for calls in wanted.calls:
            lines = {each: _run(relaying(each, calls, wanted.seconds)) for each in SUBJECTS}
            costs = [lines[each]["cpu_ms_per_call_minute"] for each in reversed(SUBJECTS)]
            found["relay"][calls] = lines | {"cpu_ratio": round(costs[0] / max(costs[1], 0.1), 2)}
    if "barge-in" in wanted.parts:
        found["barge_in"] = _run(breaking_in(middle, wanted.seconds))
    if "hang-up" in wanted.parts:
        found["hang_up"] = _run(hanging_up(middle))
    if "memory" in wanted.parts:
        found["memory"] = _run(remembering(middle, wanted.many))
    if "soak" in wanted.parts:
        found["soak"] = _run(soaking(min(100, max(wanted.calls) * 2), wanted.soak_seconds))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
