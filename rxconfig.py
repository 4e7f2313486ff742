"""Reflex's configuration; what differs between installations is set by `opendeep_app.web`."""

import reflex as rx
from reflex.plugins import Plugin

from opendeep_app.theme import THEME


class SameOrigin(Plugin):
    """Lets one build serve every host and port.

    Reflex bakes the backend's address into the bundle and replaces only its host name in the
    browser. Page and backend share one origin here, so the port and scheme follow the page too.
    """

    _BAKED = "endpoint.hostname = frontend_hostname;"

    def pre_compile(self, **context: object) -> None:
        """Patches the function of the bundle that finds the backend."""
        context["add_modify_task"]("utils/state.js", self._patch)  # type: ignore[operator]

    def _patch(self, source: str) -> str:
        follow = (
            "return new URL(endpoint.pathname, "
            "window.location.origin.replace(/^http/, endpoint.protocol.startsWith('ws') ? 'ws' : 'http'));"
        )
        if follow in source:
            return source
        if self._BAKED not in source:
            raise RuntimeError(
                "this version of Reflex finds its backend differently; adapt SameOrigin"
            )
        return source.replace(self._BAKED, follow, 1)


config = rx.Config(
    app_name="opendeep_app",
    plugins=[rx.plugins.RadixThemesPlugin(theme=THEME), SameOrigin()],
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
