"""What the processes that make calls work with: the essentials and the providers.

The providers' clients take seconds to import, which is why the web process does without.
"""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from opendeep_app.adapters.language import Language
from opendeep_app.adapters.telephony import Telephony
from opendeep_app.clock import Clock, utc_now
from opendeep_app.config import Settings
from opendeep_app.essentials import Essentials, essentials


@dataclass(frozen=True)
class Dependencies(Essentials):
    """The essentials, the phone provider and the language provider."""

    telephony: Telephony
    language: Language


@contextlib.asynccontextmanager
async def dependencies(settings: Settings, clock: Clock = utc_now) -> AsyncIterator[Dependencies]:
    """Builds them, on the practice line unless real credentials are set, and closes them."""
    async with (
        essentials(settings, clock) as base,
        Telephony(base.settings) as telephony,
        Language(base.settings) as language,
    ):
        yield Dependencies(base.settings, base.db, base.bus, clock, telephony, language)
