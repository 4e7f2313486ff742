"""What may be logged: ids and numbers; nothing that people said or typed."""

import json

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from opendeep_app.logs import PRIVATE, configure_logs, redact

SECRET = "+12025550143"


@pytest.mark.parametrize("field", sorted(PRIVATE))
def test_private_fields_are_redacted(field: str) -> None:
    assert redact(None, "info", {"event": "x", field: SECRET}) == {
        "event": "x",
        field: "[redacted]",
    }


def test_ids_stay() -> None:
    event = {"event": "call_dialled", "call_id": "0190", "attempt": 2}
    assert redact(None, "info", event) == event


values = st.recursive(
    st.integers(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["task", "call_id", *sorted(PRIVATE)]), inner, max_size=3)
    ),
)


@given(st.sampled_from(sorted(PRIVATE)), values)
def test_private_fields_are_redacted_however_deep(field: str, value: object) -> None:
    event = {"event": "x", "details": [{"task": {field: SECRET, "other": value}}]}
    assert SECRET not in json.dumps(redact(None, "info", event))


def test_a_line_is_json_without_private_words(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs()
    try:
        structlog.get_logger().warning("dialling_failed", call_id="0190", phone_number=SECRET)
    finally:
        structlog.reset_defaults()
    line = json.loads(capsys.readouterr().err)
    assert line["event"] == "dialling_failed"
    assert (line["call_id"], line["phone_number"]) == ("0190", "[redacted]")
    assert line["level"] == "warning"
