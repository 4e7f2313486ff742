"""Fills a new database with tasks in bulk, so that queries can be measured among a million.

uv run python -m benchmarks.seed DATABASE_URL [--tasks 1000000]

A tenth of the tasks belongs to the first user, the others to 99 more. A tenth of each user's
tasks has three calls, 25 events and a transcript.
"""

import argparse
import json
import random
import re
import sqlite3
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url
from sqlmodel import Session, SQLModel

from opendeep_app import migrations
from opendeep_app.models import (
    Actor,
    Call,
    CallOutcome,
    CallStatus,
    EndedBy,
    Speaker,
    Task,
    TaskEvent,
    TaskEventType,
    TaskStatus,
    TaskWords,
    TranscriptLine,
    User,
)
from opendeep_app.models.task_words import NUMBER, fold, mark

OTHERS = 99
DAYS = 180
EMAIL = "first@example.com"
CALLS, EVENTS, LINES = 3, 25, 4
FIRST = """
    Ada Grace Alan Edsger Barbara Donald Margaret Ken Radia Tim Hedy Linus Katherine Dennis
    Frances John Karen Vint Jean Leslie Sophie Niklaus Annie Robin Joan Claude Mary Marvin
    Adele Guido
""".split()
LAST = """
    Lovelace Hopper Turing Dijkstra Liskov Knuth Hamilton Thompson Perlman Lee Lamarr
    Johnson Ritchie Allen Backus Jones Cerf Bartik Lamport Wilson Wirth Easley Milner Clarke
    Shannon Keller Minsky Goldberg Rossum Weber
""".split()
VERBS = "Move Cancel Confirm Book Ask-about Collect Change Order Return Check".split()
THINGS = """
    dentist-appointment table-for-four car-inspection hotel-room delivery bicycle
    gym-membership test-results parcel haircut plumber flight invoice piano-tuner
    vaccination
""".split()
WHEN = "today tomorrow next-week on-Monday on-Friday in-March in-May before-noon after-six soon".split()
SAID = [
    "Good morning, this is the assistant of Sam Carter.",
    "Yes, please hold on, I have to look at the calendar.",
    "Thursday afternoon would be possible, at a quarter past three.",
    "Wonderful, thank you very much. Goodbye.",
]
#: Shares in a thousand.
STATUSES = {
    TaskStatus.COMPLETED: 560,
    TaskStatus.FAILED: 150,
    TaskStatus.CANCELLED: 80,
    TaskStatus.PENDING: 120,
    TaskStatus.RETRY_SCHEDULED: 60,
    TaskStatus.ON_HOLD: 30,
}
OUTCOMES = {
    TaskStatus.COMPLETED: CallOutcome.GOAL_MET,
    TaskStatus.FAILED: CallOutcome.DECLINED,
}


@dataclass(frozen=True)
class Seeded:
    """What was written, and how fast."""

    user_id: str
    email: str
    tasks: int
    calls: int
    events: int
    seconds: float


def seed(database_url: str, tasks: int = 1_000_000) -> Seeded:
    """Migrates the database and fills it; the same number gives the same rows, but for ids' times."""
    began = time.monotonic()
    migrations.upgrade(database_url)
    now = datetime.now(UTC)
    users = _users(database_url, now)
    writer = _Sqlite(database_url) if database_url.startswith("sqlite") else _Postgres(database_url)
    counted = {model.__name__: 0 for model in MODELS}
    chance = random.Random(6)
    with writer:
        rows: dict[type[SQLModel], list[tuple[Any, ...]]] = {model: [] for model in MODELS}
        for number in range(tasks):
            _add(rows, users, number, tasks, now, chance)
            if number % 10_000 == 9_999 or number == tasks - 1:
                for model in MODELS:
                    writer.write(model, rows[model])
                    counted[model.__name__] += len(rows[model])
                    rows[model].clear()
    seconds = time.monotonic() - began
    return Seeded(users[0], EMAIL, counted["Task"], counted["Call"], counted["TaskEvent"], seconds)


def _users(database_url: str, now: datetime) -> list[str]:
    engine = create_engine(database_url)
    with Session(engine) as session:
        people = [User(email=EMAIL, created_at=now - timedelta(days=DAYS))]
        people += [User(email=f"user{n}@example.com", created_at=now) for n in range(1, OTHERS + 1)]
        ids = [user.id for user in people]
        session.add_all(people)
        session.commit()
    engine.dispose()
    return ids


def _add(
    rows: dict[type[SQLModel], list[tuple[Any, ...]]],
    users: list[str],
    number: int,
    tasks: int,
    now: datetime,
    chance: random.Random,
) -> None:
    user_id = users[0] if number % 10 == 0 else users[1 + chance.randrange(len(users) - 1)]
    created = now - timedelta(days=DAYS) * (1 - number / tasks)
    task_id = id_at(created, number)
    status = chance.choices([*STATUSES], [*STATUSES.values()])[0]
    waits = status.callable
    called = number // 10 % 10 == 0
    name = f"{chance.choice(FIRST)} {chance.choice(LAST)}"
    words = (chance.choice(VERBS), chance.choice(THINGS), chance.choice(WHEN))
    goal = f"{words[0]} the {words[1]} {words[2]}, reference {number}.".replace("-", " ")
    phone = f"+1{200 + number % 700}{200 + number // 700 % 800}{number % 10_000:04}"
    updated = created + timedelta(hours=1)
    last = OUTCOMES.get(status, CallOutcome.FAILED_NO_ANSWER) if called else None
    rows[Task].append(
        row(
            Task,
            id=task_id,
            user_id=user_id,
            phone_number=phone,
            contact_name=name,
            goal=goal,
            time_zone="America/New_York",
            status=status,
            priority=number % 3,
            current_attempt_count=CALLS if called else 0,
            # So far away that nobody is called however long the measuring takes.
            next_action_at=now + timedelta(days=300) if waits else None,
            next_action_reason="As soon as possible." if waits else "",
            result_summary="The appointment has been moved to Thursday." if called else "",
            last_outcome=last,
            event_count=EVENTS if called else 1,
            created_at=created,
            updated_at=updated,
        )
    )
    texts = [name, goal, *(SAID if called else [])]
    rows[TaskWords].append((number + 1, task_id, _words(user_id, phone, texts)))
    calls = [id_at(created, number * 10 + n, "call") for n in range(CALLS)] if called else []
    for n, call_id in enumerate(calls):
        at = created + timedelta(minutes=10 * n)
        outcome = last if n == CALLS - 1 else CallOutcome.FAILED_NO_ANSWER
        rows[Call].append(
            row(
                Call,
                id=call_id,
                task_id=task_id,
                attempt_number=n + 1,
                phone_number=phone,
                status=CallStatus.ENDED,
                outcome=outcome,
                ended_by=EndedBy.RECIPIENT,
                end_reason="They said goodbye.",
                created_at=at,
                dialled_at=at,
                answered_at=at,
                ended_at=at + timedelta(minutes=2),
                duration_seconds=120,
                analysed_at=at + timedelta(minutes=3),
            )
        )
    for n in range(LINES if called else 0):
        side = (Speaker.AGENT, Speaker.RECIPIENT)[n % 2]
        line_id = id_at(created, number * 10 + n, "line")
        rows[TranscriptLine].append(
            row(
                TranscriptLine,
                id=line_id,
                call_id=calls[-1],
                sequence=n + 1,
                speaker=side,
                text=SAID[n],
                created_at=created,
            )
        )
    for n in range(EVENTS if called else 1):
        first = n == 0
        rows[TaskEvent].append(
            row(
                TaskEvent,
                id=id_at(created, number * 100 + n, "event"),
                task_id=task_id,
                call_id=None if first else calls[n * CALLS // EVENTS],
                type=TaskEventType.TASK_CREATED if first else TaskEventType.CALL_RINGING,
                actor=Actor.CREATOR if first else Actor.CARRIER,
                sequence=n + 1,
                payload={"next_action_at": created.isoformat()} if first else {},
                created_at=created + timedelta(minutes=n),
            )
        )


MODELS: tuple[type[SQLModel], ...] = (Task, TaskWords, Call, TranscriptLine, TaskEvent)
_KINDS = {"": "7000", "call": "7001", "line": "7002", "event": "7003"}
_folded: dict[str, list[str]] = {}
_marks: dict[str, str] = {}


def id_at(at: datetime, number: int, kind: str = "") -> str:
    """An id that sorts by time like a UUIDv7."""
    stamp = f"{int(at.timestamp() * 1000):012x}"
    return f"{stamp[:8]}-{stamp[8:]}-{_KINDS[kind]}-8000-{number:012x}"


def _words(user_id: str, phone: str, texts: Iterable[str]) -> str:
    # `words_of`, with what comes again and again folded once.
    owner = _marks.setdefault(user_id, mark(user_id))
    digits = phone[1:]
    found = dict.fromkeys(NUMBER + digits[start:] for start in range(len(digits) - 2))
    for text in texts:
        for word in re.split(r"[\s,.]+", text):
            if word not in _folded:
                _folded[word] = fold(word)
            found.update(dict.fromkeys(_folded[word]))
    return "".join(f" {owner}{word}" for word in found)


_templates: dict[type[SQLModel], dict[str, Any]] = {}


def row(model: type[SQLModel], **values: Any) -> tuple[Any, ...]:
    """A row of the model's table, with the model's defaults for what is not given."""
    if model not in _templates:
        fields = model.model_fields
        _templates[model] = {
            column.key: None
            if fields[column.key].is_required() or column.key == "id"
            else fields[column.key].get_default(call_default_factory=True)
            for column in model.__table__.columns  # type: ignore[attr-defined]
        }
    return tuple({**_templates[model], **values}.values())


def _columns(model: type[SQLModel]) -> list[str]:
    return [f'"{column.name}"' for column in model.__table__.columns]  # type: ignore[attr-defined]


class _Sqlite:
    """Writes into the file; what keeps the index of words is put back at the end."""

    def __init__(self, url: str) -> None:
        self._connection = sqlite3.connect(make_url(url).database or "")

    def __enter__(self) -> None:
        for pragma in ("synchronous = OFF", "journal_mode = WAL", "cache_size = -400000"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._later = self._connection.execute(
            "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND "
            "(type = 'index' OR name LIKE 'task_words_%') AND type IN ('index', 'trigger')"
        ).fetchall()
        for kind, name, _ in self._later:
            self._connection.execute(f"DROP {kind} {name}")

    def write(self, model: type[SQLModel], rows: list[tuple[Any, ...]]) -> None:
        """Inserts rows."""
        columns = _columns(model)
        places = ", ".join("?" * len(columns))
        self._connection.executemany(
            f"INSERT INTO {model.__tablename__} ({', '.join(columns)}) VALUES ({places})",
            map(self._plain, rows),
        )

    def __exit__(self, *_: object) -> None:
        for _, _, statement in self._later:
            self._connection.execute(statement)
        self._connection.execute(
            "INSERT INTO task_words_index (task_words_index) VALUES ('rebuild')"
        )
        self._connection.commit()
        self._connection.execute("ANALYZE")
        self._connection.commit()
        self._connection.close()

    def _plain(self, values: tuple[Any, ...]) -> list[Any]:
        return [_PLAIN.get(type(value), _same)(value) for value in values]


def _same(value: Any) -> Any:
    return value


_PLAIN: dict[type, Any] = {
    datetime: lambda at: at.strftime("%Y-%m-%d %H:%M:%S.%f"),
    dict: json.dumps,
    list: json.dumps,
}


class _Postgres:
    """Copies into the tables; indexes are made at the end."""

    def __init__(self, url: str) -> None:
        dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._connection = psycopg.connect(dsn)

    def __enter__(self) -> None:
        self._later = self._connection.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema() AND "
            "tablename = ANY(%s) AND indexname NOT IN (SELECT conname FROM pg_constraint)",
            [[model.__tablename__ for model in MODELS]],
        ).fetchall()
        for name, _ in self._later:
            self._connection.execute(f'DROP INDEX "{name}"')  # type: ignore[call-overload]

    def write(self, model: type[SQLModel], rows: list[tuple[Any, ...]]) -> None:
        """Inserts rows."""
        statement = f"COPY {model.__tablename__} ({', '.join(_columns(model))}) FROM STDIN"
        with self._connection.cursor() as cursor, cursor.copy(statement) as copy:  # type: ignore[call-overload]
            for values in rows:
                copy.write_row([json.dumps(v) if isinstance(v, dict | list) else v for v in values])

    def __exit__(self, *_: object) -> None:
        self._connection.execute("SET maintenance_work_mem = '256MB'")
        for _, statement in self._later:
            self._connection.execute(statement)
        self._connection.execute(
            "SELECT setval('task_words_id_seq', (SELECT max(id) FROM task_words))"
        )
        self._connection.commit()
        self._connection.autocommit = True
        self._connection.execute("VACUUM ANALYZE")
        self._connection.close()


def main() -> None:
    """Seeds the database of the command line."""
    parser = argparse.ArgumentParser(description="Fills a new database with tasks.")
    parser.add_argument("database_url")
    parser.add_argument("--tasks", type=int, default=1_000_000)
    arguments = parser.parse_args()
    seeded = seed(arguments.database_url, arguments.tasks)
    sys.stdout.write(json.dumps(seeded.__dict__) + "\n")


if __name__ == "__main__":
    main()
