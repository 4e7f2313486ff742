"""What the person at the terminal sees: a spinner for what is under way, a line for what is done."""

import sys
import time
from typing import TextIO

from rich.console import Console as RichConsole
from rich.console import Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.spinner import Spinner
from rich.text import Text

NAME_WIDTH = 15
DETAIL_WIDTH = 44
FRAMES_PER_SECOND = 10


class Console:
    """Progress on standard output, trouble on standard error; plain lines when not a terminal."""

    def __init__(self, out: TextIO | None = None, err: TextIO | None = None) -> None:
        self._out = RichConsole(file=out or sys.stdout, highlight=False, soft_wrap=True)
        self._err = RichConsole(file=err or sys.stderr, highlight=False, soft_wrap=True)
        self._under_way: dict[str, _Row] = {}
        self._live: Live | None = None

    def say(self, text: str = "", style: str = "") -> None:
        """Prints one line."""
        self._out.print(Text(text, style=style))

    def warn(self, text: str) -> None:
        """Prints one line about trouble."""
        self._pause()
        self._err.print(Text(f"  ! {text}", style="yellow"))
        self._spin()

    def begin(self, name: str, *, stopping: bool = False) -> None:
        """Shows that this is under way."""
        self._under_way[name] = _Row(name, "stopping" if stopping else "starting")
        self._spin()

    def done(self, name: str, detail: str, seconds: float) -> None:
        """Reports that this is ready."""
        line = Text("  ✓ ", style="green")
        line.append(f"{name:<{NAME_WIDTH}}", style="default")
        line.append(f"{detail:<{DETAIL_WIDTH}}{seconds:6.1f} s", style="bright_black")
        self._end(name, line)

    def stopped(self, name: str, seconds: float, *, in_time: bool) -> None:
        """Reports that this has stopped."""
        how = "stopped" if in_time else "took too long and was killed"
        line = f"  ■ {name:<{NAME_WIDTH}}{how:<{DETAIL_WIDTH}}{seconds:6.1f} s"
        self._end(name, Text(line, style="bright_black"))

    def close(self) -> None:
        """Ends the spinners."""
        self._under_way.clear()
        self._pause()

    def _end(self, name: str, line: Text) -> None:
        self._under_way.pop(name, None)
        self._pause()
        self._out.print(line)
        self._spin()

    def _spin(self) -> None:
        if self._out.is_terminal and self._under_way and self._live is None:
            self._live = Live(
                console=self._out,
                get_renderable=lambda: Group(
                    *(row.render() for row in list(self._under_way.values()))
                ),
                refresh_per_second=FRAMES_PER_SECOND,
                transient=True,
            )
            self._live.start()

    def _pause(self) -> None:
        if self._live:
            self._live.stop()
            self._live = None


class _Row:
    """One thing that is under way."""

    def __init__(self, name: str, doing: str) -> None:
        self._name = name
        self._doing = doing
        self._begun = time.monotonic()
        self._spinner = Spinner("dots", style="cyan")

    def render(self) -> RenderableType:
        """The row as it looks now."""
        seconds = time.monotonic() - self._begun
        line = Text(f"{self._name:<{NAME_WIDTH}}")
        line.append(f"{self._doing:<{DETAIL_WIDTH}}{seconds:6.1f} s", style="bright_black")
        self._spinner.update(text=line)
        return Padding(self._spinner, (0, 0, 0, 2))
