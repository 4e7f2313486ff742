"""What the person at the terminal sees: a spinner while things start, one line for each when done."""

import sys
from typing import TextIO

from rich.console import Console as RichConsole
from rich.status import Status
from rich.text import Text

NAME_WIDTH = 15
DETAIL_WIDTH = 44


class Console:
    """Progress on standard output, trouble on standard error; plain lines when not a terminal."""

    def __init__(self, out: TextIO | None = None, err: TextIO | None = None) -> None:
        self._out = RichConsole(file=out or sys.stdout, highlight=False, soft_wrap=True)
        self._err = RichConsole(file=err or sys.stderr, highlight=False, soft_wrap=True)
        self._under_way: dict[str, str] = {}
        self._spinner: Status | None = None

    def say(self, text: str = "", style: str = "") -> None:
        """Prints one line."""
        self._out.print(Text(text, style=style))

    def warn(self, text: str) -> None:
        """Prints one line about trouble."""
        if self._spinner:
            self._spinner.stop()
        self._err.print(Text(f"  ! {text}", style="yellow"))
        if self._spinner:
            self._spinner.start()

    def begin(self, name: str, *, stopping: bool = False) -> None:
        """Shows that this is under way."""
        self._under_way[name] = "stopping" if stopping else "starting"
        self._spin()

    def done(self, name: str, detail: str, seconds: float) -> None:
        """Reports that this is ready."""
        self._end(name)
        line = Text("  ✓ ", style="green")
        line.append(f"{name:<{NAME_WIDTH}}", style="default")
        line.append(f"{detail:<{DETAIL_WIDTH}}", style="bright_black")
        line.append(f"{seconds:6.1f} s", style="bright_black")
        self._out.print(line)

    def stopped(self, name: str, seconds: float, *, in_time: bool) -> None:
        """Reports that this has stopped."""
        self._end(name)
        how = "stopped" if in_time else "took too long and was killed"
        line = Text(
            f"  ■ {name:<{NAME_WIDTH}}{how:<{DETAIL_WIDTH}}{seconds:6.1f} s", style="bright_black"
        )
        self._out.print(line)

    def close(self) -> None:
        """Ends the spinner."""
        self._under_way.clear()
        self._spin()

    def _end(self, name: str) -> None:
        self._under_way.pop(name, None)
        self._spin()

    def _spin(self) -> None:
        if not self._out.is_terminal:
            return
        if not self._under_way:
            if self._spinner:
                self._spinner.stop()
                self._spinner = None
            return
        what = ", ".join(f"{doing} {name}" for name, doing in self._under_way.items())
        if self._spinner:
            self._spinner.update(f"[bright_black]{what} …")
        else:
            self._spinner = self._out.status(f"[bright_black]{what} …", spinner_style="cyan")
            self._spinner.start()
