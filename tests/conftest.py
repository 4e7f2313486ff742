"""What all tests share: fixtures from `tests/fixtures`, markers by directory, one loop for browsers."""

from pathlib import Path

import pytest
from hypothesis import settings

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
]

# Every test has a deadline already; one for each example would fail on a busy machine.
settings.register_profile("opendeep", deadline=None)
settings.load_profile("opendeep")

KINDS = ("unit", "integration", "browser")
DEADLINE_SECONDS = {"unit": 20, "integration": 60, "browser": 180}


@pytest.hookimpl(tryfirst=True)  # before the groups are looked at
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        below = item.path.relative_to(Path(__file__).parent).parts
        kind = below[0]
        if kind not in KINDS:
            raise pytest.UsageError(f"{item.path} belongs into one of tests/{{{','.join(KINDS)}}}")
        item.add_marker(kind)
        if not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(DEADLINE_SECONDS[kind]))
        # Run side by side (`-n`), a file's tests stay together, and browser tests share one stack.
        item.add_marker(pytest.mark.xdist_group("browser" if kind == "browser" else below[-1]))
        if kind == "browser":
            # The browser is started once, and belongs to the loop in which it was started.
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
