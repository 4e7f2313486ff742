"""Phone numbers: read in any notation, kept as E.164, shown the way people write them.

The facts about numbering plans are libphonenumber's (github.com/google/libphonenumber),
through the `phonenumbers` package.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import phonenumbers
from babel import Locale
from babel.core import get_global
from phonenumbers import PhoneNumberFormat, PhoneNumberType, shortnumberinfo, timezone

from opendeep_app.errors import InvalidInput

FIELD = "phone_number"

# Babel's names: importing phonenumbers' own geocoder takes five seconds and 150 MB.
_COUNTRIES = Locale("en").territories

EMERGENCY = "OpenDeep never calls emergency numbers."

#: Where most people of a clock live, to name it by.
WELL_KNOWN = frozenset(
    {
        "America/Anchorage", "America/Chicago", "America/Denver", "America/Halifax",
        "America/Los_Angeles", "America/New_York", "America/Phoenix", "America/Toronto",
        "Asia/Novosibirsk", "Asia/Vladivostok", "Asia/Yekaterinburg", "Australia/Adelaide",
        "Australia/Brisbane", "Australia/Perth", "Australia/Sydney", "Europe/Berlin",
        "Europe/London", "Europe/Madrid", "Europe/Moscow", "Europe/Paris", "Pacific/Honolulu",
    }
)  # fmt: skip
UNKNOWN = "Etc/Unknown"
#: Zones that agree on both of these days are the same clock to whoever plans a call.
SEASONS = (datetime(2026, 1, 15, 12), datetime(2026, 7, 15, 12))

#: Numbers that cost their callee's callers money, or that are not for conversation.
REFUSED: dict[int, str] = {
    PhoneNumberType.PREMIUM_RATE: "This is a premium-rate number; OpenDeep does not call those.",
    PhoneNumberType.SHARED_COST: "This is a shared-cost number; OpenDeep does not call those.",
    PhoneNumberType.PAGER: "This number belongs to a pager, which cannot talk.",
}


@dataclass(frozen=True)
class PhoneNumber:
    """A number that may be called.

    `time_zones` are IANA names: the one where the number is, or several whose clocks differ
    when the number does not tell.
    """

    e164: str
    international: str
    country: str
    country_name: str
    time_zones: tuple[str, ...]

    @property
    def flag(self) -> str:
        """The country's flag as an emoji, empty where there is none."""
        if len(self.country) != 2 or not self.country.isalpha():
            return ""
        return "".join(chr(0x1F1E6 + ord(letter) - ord("A")) for letter in self.country)

    @property
    def time_zone(self) -> str:
        """The zone, or the first of several."""
        return self.time_zones[0]


def parse(
    text: str, default_region: str | None = None, *, shared_cost: bool = False
) -> PhoneNumber:
    """The number meant by `text`; raises `InvalidInput` saying what is wrong and what to do.

    Without `default_region` (ISO 3166 code) the number must begin with + and its country code.
    Shared-cost numbers are refused unless they are wanted.
    """
    text = text.strip()
    if not text:
        raise InvalidInput(FIELD, "Enter the number to call.")
    if len(text) > 40:
        raise InvalidInput(FIELD, "This is too long for a phone number.")
    try:
        number = phonenumbers.parse(text, default_region)
    except phonenumbers.NumberParseException as error:
        if error.error_type == phonenumbers.NumberParseException.INVALID_COUNTRY_CODE:
            raise InvalidInput(
                FIELD, "Start with + and the country code, for example +1 202 555 0143."
            ) from None
        raise InvalidInput(FIELD, "This does not look like a phone number.") from None
    if _is_emergency(number):
        raise InvalidInput(FIELD, EMERGENCY)
    if number.extension:
        raise InvalidInput(
            FIELD,
            "Leave the extension out of the number and put it into the context instead.",
        )
    if not phonenumbers.is_valid_number(number):
        raise InvalidInput(FIELD, _why_invalid(number))
    if refusal := _refusal_of_kind(number, shared_cost):
        raise InvalidInput(FIELD, refusal)
    region = phonenumbers.region_code_for_number(number) or ""
    zones = [z for z in timezone.time_zones_for_number(number) if z != UNKNOWN]
    national = [z for z in get_global("territory_zones").get(region, []) if z != UNKNOWN]
    return PhoneNumber(
        e164=phonenumbers.format_number(number, PhoneNumberFormat.E164),
        international=phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL),
        country=region,
        country_name=_COUNTRIES.get(region, ""),
        time_zones=_different(zones or national, region) or ("UTC",),
    )


def refusal(e164: str, *, shared_cost: bool = False) -> str | None:
    """Why a stored number must not be called, whoever stored it; None when it may be."""
    number = phonenumbers.parse(e164)
    return EMERGENCY if _is_emergency(number) else _refusal_of_kind(number, shared_cost)


def _refusal_of_kind(number: phonenumbers.PhoneNumber, shared_cost: bool) -> str | None:
    kind = phonenumbers.number_type(number)
    allowed = shared_cost and kind == PhoneNumberType.SHARED_COST
    return None if allowed else REFUSED.get(kind)


def international(e164: str) -> str:
    """A stored number as people write it."""
    return phonenumbers.format_number(phonenumbers.parse(e164), PhoneNumberFormat.INTERNATIONAL)


def country(e164: str) -> str | None:
    """The ISO 3166 code of a stored number's country; None for numbers of no country."""
    region = phonenumbers.region_code_for_number(phonenumbers.parse(e164))
    return region if region and len(region) == 2 and region.isalpha() else None


def _different(zones: Iterable[str], region: str) -> tuple[str, ...]:
    """One zone for each clock among `zones`, the best known of those that agree, in order of time."""
    national = get_global("territory_zones").get(region, [])

    def fame(zone: str) -> tuple[bool, bool, str]:
        return (zone not in WELL_KNOWN, zone not in national, zone)

    clocks: dict[tuple[timedelta | None, ...], str] = {}
    for zone in sorted(zones, key=fame):
        clock = tuple(day.replace(tzinfo=ZoneInfo(zone)).utcoffset() for day in SEASONS)
        clocks.setdefault(clock, zone)
    return tuple(
        sorted(
            clocks.values(),
            key=lambda zone: SEASONS[0].replace(tzinfo=ZoneInfo(zone)).utcoffset() or timedelta(0),
        )
    )


def _is_emergency(number: phonenumbers.PhoneNumber) -> bool:
    # Such a number is too short to have a region of its own, so each that shares its country
    # code is asked.
    digits = phonenumbers.national_significant_number(number)
    regions = phonenumbers.region_codes_for_country_code(number.country_code or 0)
    return any(shortnumberinfo.is_emergency_number(digits, region) for region in regions)


def _why_invalid(number: phonenumbers.PhoneNumber) -> str:
    reason = phonenumbers.is_possible_number_with_reason(number)
    if reason == phonenumbers.ValidationResult.TOO_SHORT:
        return "This number is too short. Check for a missing digit."
    if reason == phonenumbers.ValidationResult.TOO_LONG:
        return "This number is too long. Check for a digit too many."
    return "No such number exists in that country's numbering plan. Check the digits."
