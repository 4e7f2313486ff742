"""What all tests share: fixtures from `tests/fixtures`, markers by directory, one loop for browsers."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

pytest_plugins = [
    "tests.fixtures.clocks",
    "tests.fixtures.redis_servers",
    "tests.fixtures.databases",
    "tests.fixtures.apis",
    "tests.fixtures.lives",
    "tests.fixtures.receivers",
    "tests.fixtures.practice_lines",
    "tests.fixtures.gateways",
    "tests.fixtures.stacks",
    "tests.fixtures.browsers",
    "tests.fixtures.visitors",
]

# Every test has a deadline already; one for each example would fail on a busy machine.
settings.register_profile("opendeep", deadline=None)
settings.load_profile("opendeep")

KINDS = ("unit", "integration", "browser")
DEADLINE_SECONDS = {"unit": 20, "integration": 60, "browser": 180}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        below = item.path.relative_to(Path(__file__).parent).parts
        kind = below[0]
        if kind not in KINDS:
            raise pytest.UsageError(f"{item.path} belongs into one of tests/{{{','.join(KINDS)}}}")
        item.add_marker(kind)
        if not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(DEADLINE_SECONDS[kind]))
        if kind == "browser":
            # The browser is started once, and belongs to the loop in which it was started.
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


class ByFile(LoadScopeScheduling):  # type: ignore[misc]
    """Side by side (`-n`), a file's tests stay together; browser tests share one stack."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return "browser" if "/browser/" in file else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    return ByFile(config, log)
