"""Reflex's configuration; what differs between installations is set by `opendeep_app.web`."""

from collections.abc import Callable

import reflex as rx
from reflex.plugins import Plugin

from opendeep_app.theme import THEME


class Patches(Plugin):
    """Changes two lines of the code that Reflex puts into the bundle.

    - One build serves every host and port: Reflex bakes the backend's address in and replaces
      only its host name in the browser. Page and backend share one origin here.
    - Dark pages do not flash: Reflex takes the system for a light one until it has looked. The
      root has the right class before, set by the page's first script.
    """

    _PATCHES = (
        (
            "utils/state.js",
            "endpoint.hostname = frontend_hostname;",
            "return new URL(endpoint.pathname, window.location.origin"
            ".replace(/^http/, endpoint.protocol.startsWith('ws') ? 'ws' : 'http'));",
        ),
        (
            "utils/react-theme.js",
            """defaultTheme !== "system" ? defaultTheme : "light",""",
            """globalThis.document?.documentElement.classList.contains("dark") ? "dark" : "light",""",
        ),
    )

    def pre_compile(self, **context: object) -> None:
        """Has each patch applied to its file; raises `RuntimeError` when its line has gone."""
        for file, line, better in self._PATCHES:
            context["add_modify_task"](file, self._replacing(line, better))  # type: ignore[operator]

    def _replacing(self, line: str, better: str) -> Callable[[str], str]:
        def patch(source: str) -> str:
            if better in source:
                return source
            if line not in source:
                raise RuntimeError("this version of Reflex is another; adapt rxconfig.Patches")
            return source.replace(line, better, 1)

        return patch


config = rx.Config(
    app_name="opendeep_app",
    plugins=[rx.plugins.RadixThemesPlugin(theme=THEME), Patches()],
    disable_plugins=[rx.plugins.SitemapPlugin],
    telemetry_enabled=False,
    show_built_with_reflex=False,
    # A tab's socket ends in one process, which keeps the tab's state in memory: see
    # docs/decisions/0006-page-state-in-memory.md.
    state_manager_mode=rx.constants.StateManagerMode.MEMORY,
    # Page and backend are one origin; nobody else's pages may talk to us.
    cors_allowed_origins=[],
    frontend_packages=["@fontsource-variable/inter@5.3.0"],
    frozen_lockfile=False,
)
