"""The floor of a live page: Redis publish → WebSocket → DOM, with no framework and no database."""

import asyncio
import time
from pathlib import Path

from playwright.async_api import Browser
from redis.asyncio import Redis
from websockets.asyncio.server import ServerConnection, serve

PAGE = """
<p id=out></p><script>
new WebSocket("ws://127.0.0.1:%d").onmessage = event => {
  document.getElementById("out").textContent = event.data;
  requestAnimationFrame(() => window.shown(event.data, Date.now() / 1000));
};</script>
"""


async def measure(browser: Browser, redis_url: str, rounds: int, folder: Path) -> list[float]:
    """Seconds from before the publish to the frame that shows the message, one a round."""
    latencies: list[float] = []
    ready, seen = asyncio.Event(), asyncio.Event()

    async def relay(socket: ServerConnection) -> None:
        async with Redis.from_url(redis_url) as redis, redis.pubsub() as pubsub:
            await pubsub.subscribe("floor")
            ready.set()
            while len(latencies) < rounds:
                message = await pubsub.get_message(ignore_subscribe_messages=True, timeout=0.2)
                if message is not None:
                    await socket.send(message["data"].decode())

    def shown(sent: str, at: float) -> None:
        latencies.append(at - float(sent))
        seen.set()

    async with serve(relay, "127.0.0.1", 0) as server, Redis.from_url(redis_url) as redis:
        port = next(iter(server.sockets)).getsockname()[1]
        path = folder / "floor.html"
        path.write_text(PAGE % port)
        page = await browser.new_page()
        await page.expose_function("shown", shown)
        await page.goto(path.as_uri())
        await ready.wait()
        for _ in range(rounds):
            seen.clear()
            await redis.publish("floor", str(time.time()))
            await seen.wait()
            await asyncio.sleep(0.05)
        await page.close()
    return latencies
