"""Imports point one way: the layers of docs/architecture.md, checked on the sources."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
APP = "opendeep_app"
SOURCES = sorted([*(ROOT / APP).rglob("*.py"), *(ROOT / "workers").rglob("*.py")])

KNOWS_REFLEX = ("pages", "state", "components", "live", "theme", "opendeep_app")
"""The only places that know Reflex; `web` starts it, which is not the same."""

FORBIDDEN = {
    "models": ("repositories", "services", "adapters", "db", "voice", "api", "state", "pages"),
    "repositories": ("services", "adapters", "voice", "api", "state", "pages", "workers"),
    "services": ("voice", "api", "state", "pages", "components", "workers", "practice"),
    "adapters": ("services", "repositories", "voice", "api", "state", "pages", "workers"),
    "state": ("pages", "voice", "workers", "adapters", "practice.server"),
    "components": ("pages", "voice", "workers", "adapters", "repositories"),
    "voice": ("api", "state", "pages", "components", "workers", "practice"),
    "api": ("voice", "state", "pages", "components", "workers"),
    "workers": ("voice", "api", "state", "pages", "components", "practice"),
    "practice": ("services", "repositories", "models", "db", "bus", "voice", "state", "workers"),
}
"""What a layer may not import, as the beginning of the module's name below `opendeep_app`."""


def module_of(path: Path) -> str:
    """`opendeep_app/services/calls.py` is `services.calls`; workers keep their own name."""
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    return name.removeprefix(f"{APP}.")


def imports_of(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in the file, as `module_of` would name it."""
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (name.removeprefix(f"{APP}.") for name in names)


def within(module: str, layer: str) -> bool:
    """Whether a module is the layer or below it."""
    return module == layer or module.startswith(f"{layer}.")


@pytest.mark.parametrize("path", SOURCES, ids=module_of)
def test_imports_point_one_way(path: Path) -> None:
    module = module_of(path)
    wrong = {
        f"{module} imports {imported}"
        for layer, others in FORBIDDEN.items()
        if within(module, layer)
        for imported in imports_of(path)
        if any(within(imported, other) for other in others)
    }
    assert not wrong


@pytest.mark.parametrize("path", SOURCES, ids=module_of)
def test_only_the_pages_know_reflex(path: Path) -> None:
    if module_of(path).split(".")[0] not in KNOWS_REFLEX:
        known = {name for name in imports_of(path) if name.split(".")[0] == "reflex"}
        assert not known or module_of(path) == "web"


@pytest.mark.parametrize("path", SOURCES, ids=module_of)
def test_only_the_database_commits(path: Path) -> None:
    commits = [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "commit"
    ]
    # `sqlite` is the driver's end of the same commit.
    assert module_of(path) in ("db", "sqlite") or not commits


@pytest.mark.parametrize("path", SOURCES, ids=module_of)
def test_only_the_settings_read_the_environment(path: Path) -> None:
    reads = [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv")
    ]
    # These three pass the environment on to child processes; `doctor` looks programs up in it.
    passes_on = module_of(path) in ("web", "supervisor.parts", "doctor")
    assert module_of(path) == "config" or passes_on or not reads
