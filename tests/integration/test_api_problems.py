"""The API's manners: keys first, problems for every failure, and a description that is true."""

import json
from typing import Any

import httpx
import pytest
from sqlalchemy.exc import OperationalError

from opendeep_app.api.bodies import MOST
from opendeep_app.repositories import tasks as task_rows
from opendeep_app.services import accounts
from tests.fixtures.apis import Api

JSON = {"Content-Type": "application/json"}


def problem(response: httpx.Response) -> dict[str, Any]:
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body["status"] == response.status_code
    assert body["type"]
    assert body["title"]
    assert body["detail"]
    return body


@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer", "Bearer ", "Bearer od_nonsense", "Basic b2Q6", "od_x"]
)
async def test_nobody_enters_without_a_key(api: Api, authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    async with api.anybody(headers) as anybody:
        for method, path in (
            ("GET", "/api/tasks/details"),
            ("POST", "/api/tasks"),
            ("GET", "/api/nowhere"),
            ("GET", "/api/practice/personas"),
        ):
            response = await anybody.request(method, path, content=b"{", headers=JSON)
            assert problem(response)["status"] == 401
            assert response.headers["www-authenticate"].startswith("Bearer")


async def test_a_browsers_session_is_not_a_key(api: Api, ada: httpx.AsyncClient) -> None:
    async with api.db.unit_of_work() as uow:
        user = await accounts.find_user(uow.session, "ada@example.com")
        assert user is not None
        session = await accounts.open_session(uow, user.id)
    async with api.anybody({"Authorization": f"Bearer {session}"}) as anybody:
        assert (await anybody.get("/api/tasks/details")).status_code == 401


async def test_the_scheme_is_written_in_any_case(api: Api, ada: httpx.AsyncClient) -> None:
    key = ada.headers["authorization"].removeprefix("Bearer ")
    async with api.anybody({"Authorization": f"bearer {key}"}) as anybody:
        assert (await anybody.get("/api/tasks/details")).status_code == 200


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"", JSON, 422),
        (b"{", JSON, 422),
        (b"[]", JSON, 422),
        (b"null", JSON, 422),
        (b'"text"', JSON, 422),
        (b"\xff", JSON, 400),
        (b'{"goal": "\\ud800", "phone_number": "1"}', JSON, 422),
        (b'{"\\ud800": 1}', JSON, 422),
        (b'{"info_timeout_seconds": NaN}', JSON, 422),
        (b"[" * 100_000, JSON, 400),
        (b'{"max_attempts": ' + b"9" * 5000 + b"}", JSON, 400),
        (b'{"goal": "Hi", "phone_number": "+12025550143"}', {"Content-Type": "text/plain"}, 415),
        (b"goal=Hi", {"Content-Type": "application/x-www-form-urlencoded"}, 415),
        (b"{}", {"Content-Type": "nonsense"}, 415),
        (b'{"goal": "Hi", "phone_number": "+12025550143"}', {}, 422),
        (b" " * (MOST + 1), JSON, 413),
    ],
)
async def test_bodies_that_cannot_be_read(
    ada: httpx.AsyncClient, content: bytes, headers: dict[str, str], status: int
) -> None:
    assert (
        problem(await ada.post("/api/tasks", content=content, headers=headers))["status"] == status
    )


async def test_a_body_without_an_announced_length_is_limited_too(ada: httpx.AsyncClient) -> None:
    async def chunks() -> Any:
        for _ in range(MOST // 1024 + 1):
            yield b" " * 1024

    response = await ada.post("/api/tasks", content=chunks(), headers=JSON)
    assert problem(response)["status"] == 413


async def test_an_idempotency_key_is_plain_text(ada: httpx.AsyncClient) -> None:
    body = {"phone_number": "+12025550143", "goal": "Hi"}
    for key in (b"", b"x" * 256, b"\xff"):
        response = await ada.post("/api/tasks", json=body, headers=[(b"Idempotency-Key", key)])
        assert problem(response)["errors"][0]["field"] == "Idempotency-Key"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/nowhere", 404),
        ("GET", "/api/tasks/", 404),
        ("GET", "/api/tasks%0A", 404),
        ("POST", "/api/tasks%0A", 404),
        ("GET", "/api/%0Atasks", 404),
        ("GET", "/api/tasks/%0A", 404),
        ("GET", "/api/tasks", 405),
        ("PUT", "/api/tasks/details", 405),
        ("PUT", "/api/do-not-call", 405),
        ("GET", "/api/info-requests?status=closed", 422),
        ("GET", "/api/info-requests?limit=1", 422),
        ("GET", "/api/do-not-call?page=1", 422),
        ("GET", "/api/practice/personas?page=1", 422),
        ("POST", "/api/tasks?dry_run=true", 422),
    ],
)
async def test_requests_for_what_is_not_there(
    ada: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    response = await ada.request(method, path)
    assert problem(response)["status"] == status


async def test_unknown_parameters_are_answered_with_the_known_ones(
    ada: httpx.AsyncClient,
) -> None:
    async def message(path: str) -> str:
        (error,) = problem(await ada.get(path))["errors"]
        assert error["field"] == "page"
        said: str = error["message"]
        return said

    known = "This path takes q, status, outcome,"
    assert known in await message("/api/tasks/details?page=2")
    assert "This path has none." in await message("/api/do-not-call?page=2")


async def test_a_path_says_which_methods_it_takes(ada: httpx.AsyncClient) -> None:
    for path, methods in (
        ("/api/do-not-call", "DELETE, GET, POST"),
        ("/api/tasks/details", "GET"),
        ("/api/tasks", "POST"),
        ("/api/docs", "GET"),
    ):
        response = await ada.request("PUT", path)
        assert problem(response)["status"] == 405
        assert response.headers["allow"] == methods


async def test_our_own_failures_are_problems_too(
    api: Api, ada: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: Any) -> None:
        raise failure

    monkeypatch.setattr(task_rows, "page", fail)
    failure: Exception = OperationalError("SELECT", {}, Exception("database is locked"))
    response = await ada.get("/api/tasks/details")
    assert problem(response)["status"] == 503
    assert response.headers["retry-after"]
    failure = ZeroDivisionError("secret words")
    async with api.anybody(ada.headers, strict=False) as client:
        body = problem(await client.get("/api/tasks/details"))
    assert body["status"] == 500
    assert "secret" not in str(body)


async def test_the_practice_line_has_people_until_it_is_live(
    api: Api, ada: httpx.AsyncClient
) -> None:
    people = (await ada.get("/api/practice/personas")).json()
    assert len(people) > 10
    assert set(people[0]) == {"phone_number", "name", "behaviour"}
    object.__setattr__(api.settings, "practice", False)
    assert problem(await ada.get("/api/practice/personas"))["status"] == 404


async def test_the_description_is_complete_and_public(api: Api, ada: httpx.AsyncClient) -> None:
    async with api.anybody() as anybody:
        document = (await anybody.get("/api/openapi.json")).json()
    operations = {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    assert set(operations) >= {
        "POST /api/tasks",
        "GET /api/tasks/details",
        "GET /api/tasks/{task_id}",
        "POST /api/tasks/{task_id}/cancel",
        "POST /api/tasks/{task_id}/hold",
        "POST /api/tasks/{task_id}/resume",
        "POST /api/tasks/{task_id}/call-now",
        "GET /api/info-requests",
        "POST /api/info-requests/{info_request_id}/answer",
        "POST /api/info-requests/{info_request_id}/extend",
        "POST /api/info-requests/{info_request_id}/postpone",
        "POST /api/info-requests/{info_request_id}/remember",
        "GET /api/facts",
        "POST /api/facts",
        "PUT /api/facts/{fact_id}",
        "DELETE /api/facts/{fact_id}",
        "GET /api/facts/{fact_id}/disclosures",
        "POST /api/campaigns",
        "GET /api/do-not-call",
        "POST /api/do-not-call",
        "DELETE /api/do-not-call",
        "DELETE /api/do-not-call/{entry_id}",
        "GET /api/webhooks",
        "POST /api/webhooks",
        "GET /api/webhooks/{webhook_id}",
        "PUT /api/webhooks/{webhook_id}",
        "DELETE /api/webhooks/{webhook_id}",
        "POST /api/webhooks/{webhook_id}/ping",
        "GET /api/webhooks/{webhook_id}/deliveries",
        "POST /api/webhooks/{webhook_id}/deliveries/{delivery_id}/replay",
        "GET /api/practice/personas",
    }
    for operation in operations.values():
        assert operation["description"]
        assert {"401", "422", "default"} <= set(operation["responses"])
    # Every reference leads somewhere.
    text = json.dumps(document)
    for reference in {part.split('"')[0] for part in text.split('"$ref": "')[1:]}:
        found = document
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]
    assert "HTTPValidationError" not in text


async def test_the_documentation_loads_nothing_from_elsewhere(api: Api) -> None:
    async with api.anybody() as anybody:
        response = await anybody.get("/api/docs")
        home = await anybody.get("/api/")
    assert home.headers["location"] == "/api/docs"
    assert response.headers["content-type"].startswith("text/html")
    for word in ("/api/tasks/details", "Idempotency-Key", "PENDING_USER_INFO", "text/csv"):
        assert word.lower() in response.text.lower()
    for foreign in ("<script", "http:", "https:", "src=", "@import", "url("):
        assert foreign not in response.text
