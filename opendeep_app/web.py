"""How the web process is built and served: `opendeep web`.

The page is compiled once per state of the sources: the result is kept under a key made from
everything that goes into it, so that a start with unchanged sources serves at once, and a
running process never has its files replaced under it.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from dotenv import dotenv_values

from opendeep_app.config import Settings
from opendeep_app.errors import SetupError

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / ".web" / "work"
READY = ROOT / ".web" / "ready"
KEPT_BUILDS = 3

Progress = Callable[[str], None]


def prepare(settings: Settings, progress: Progress = lambda line: None) -> Path:
    """Builds the page unless that has been done for these sources; returns where it is.

    Raises `SetupError` with the build's last lines when it fails.
    """
    ready = READY / build_key(settings.language)
    with _one_at_a_time():
        if not ready.exists():
            progress("building the page (only after an update)")
            _build(settings)
            _publish(ready)
    ready.touch()
    return ready


def serve(settings: Settings) -> int:
    """Serves pages, their backend and the REST API on one port until told to stop."""
    os.environ.update(_environment(settings, prepare(settings)))
    os.chdir(ROOT)
    # Reflex reads the environment while it is imported.
    from reflex.utils.exec import run_granian_backend_prod
    from reflex_base.constants import LogLevel
    from reflex_base.environment import environment

    environment.REFLEX_SKIP_COMPILE.set(True)
    environment.REFLEX_MOUNT_FRONTEND_COMPILED_APP.set(True)
    run_granian_backend_prod(settings.host, settings.web_port, LogLevel.WARNING)
    return 0


def build_key(language: str) -> str:
    """A digest of everything the built page depends on."""
    digest = hashlib.sha256(f"{version('reflex')} {language}".encode())
    for path in _sources():
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def _sources() -> Iterator[Path]:
    package = ROOT / "opendeep_app"
    yield ROOT / "rxconfig.py"
    yield from (package / name for name in ("opendeep_app.py", "theme.py", "words.py"))
    for folder in (
        package / "pages",
        package / "components",
        package / "state",
        package / "locale",
        ROOT / "assets",
    ):
        yield from sorted(
            path for path in folder.rglob("*.*") if path.is_file() and path.suffix != ".pyc"
        )


def _environment(settings: Settings, web_dir: Path) -> dict[str, str]:
    """What Reflex reads from its environment; ours wins over what was there, but for workers."""
    scripts = sysconfig.get_path("scripts")
    # Reflex runs in the project's directory, where another `.env` may lie than here.
    here = {name: value for name, value in dotenv_values(".env").items() if value is not None}
    return {
        "GRANIAN_WORKERS": "1",
        **here,
        **os.environ,
        "PATH": f"{scripts}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "OPENDEEP_DATA_DIR": str(settings.data_dir),
        "OPENDEEP_HOST": settings.host,
        "OPENDEEP_LANGUAGE": settings.language,
        "OPENDEEP_WEB_PORT": str(settings.web_port),
        "REFLEX_CHECK_LATEST_VERSION": "false",
        "REFLEX_DIR": str(ROOT / ".web" / "reflex"),
        "REFLEX_ENV_MODE": "prod",
        "REFLEX_TELEMETRY_ENABLED": "false",
        "REFLEX_USE_GRANIAN": "true",
        "REFLEX_USE_SYSTEM_BUN": "1",
        "REFLEX_WEB_WORKDIR": str(web_dir),
    }


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    with (ROOT / "rxconfig.py").open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _build(settings: Settings) -> None:
    result = subprocess.run(
        [sys.executable, "-m", __name__],
        cwd=ROOT,
        env=_environment(settings, WORK),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        tail = "\n".join(result.stdout.strip().splitlines()[-15:])
        raise SetupError(f"The page could not be built.\n{tail}")


def _compile() -> None:
    """What `reflex export` does, without its `reflex init`, which edits the checkout's files."""
    from reflex.utils import prerequisites
    from reflex.utils.export import export

    if prerequisites.needs_reinit():
        prerequisites.initialize_reflex_user_directory()  # type: ignore[no-untyped-call]
        prerequisites.initialize_frontend_dependencies()  # type: ignore[no-untyped-call]
    export(zipping=False, frontend=True, backend=False)


def _publish(ready: Path) -> None:
    """Copies what serving needs to its final place, atomically, and forgets old builds."""
    fresh = ready.with_name(f"{ready.name}.{os.getpid()}")
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(WORK / "build" / "client", fresh / "build" / "client")
    shutil.copytree(WORK / "backend", fresh / "backend")
    for name in ("routes.json", "reflex.json"):
        shutil.copy2(WORK / name, fresh / name)
    fresh.rename(ready)
    builds = sorted(READY.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in builds[KEPT_BUILDS:]:
        shutil.rmtree(old, ignore_errors=True)


if __name__ == "__main__":
    _compile()
