"""Public holidays by country, and by part of it where those differ.

The facts are those of the `holidays` package (github.com/vacanza/holidays).
"""

import functools
from collections.abc import Mapping
from datetime import date


def name(day: date, country: str | None, region: str | None = None) -> str | None:
    """What a day is called that is a public holiday there, else None.

    `country` is an ISO 3166-1 code, `region` the package's code of a subdivision. Of places
    without known holidays, every day is a working day.
    """
    return _of(country, region, day.year).get(day) if country else None


def regions(country: str) -> tuple[str, ...] | None:
    """The codes of the parts of a country with holidays of their own; None if it is not known."""
    import holidays

    known = holidays.list_supported_countries(include_aliases=False)
    return tuple(known[country]) if country in known else None


@functools.lru_cache(maxsize=1024)
def _of(country: str, region: str | None, year: int) -> Mapping[date, str]:
    # Half a second to import, and nobody waits for it who does not use it.
    import holidays

    try:
        return dict(holidays.country_holidays(country, subdiv=region, years=year, language="en_US"))
    except NotImplementedError:
        return dict(holidays.country_holidays(country, years=year)) if region else {}
