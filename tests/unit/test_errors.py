"""The error tree: each has words for a person and says whether trying again can help."""

import inspect

import pytest

from opendeep_app import errors
from opendeep_app.errors import CarrierError, InvalidInput, ModelError, OpenDeepError

ALL = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, OpenDeepError)
]


@pytest.mark.parametrize("kind", ALL)
def test_every_error_is_drawn_in_the_tree(kind: type[OpenDeepError]) -> None:
    assert kind.__name__ in (errors.__doc__ or "")


def test_the_message_is_what_a_person_reads() -> None:
    error = InvalidInput("phone_number", "Enter the number to call.")
    assert error.message == str(error) == "Enter the number to call."
    assert error.field == "phone_number"


def test_only_provider_trouble_is_worth_another_try() -> None:
    assert ModelError("…").retryable
    assert CarrierError("…").retryable
    assert not CarrierError("…", permanent=True).retryable
    assert not InvalidInput("goal", "…").retryable
