"""Views of the task list that somebody gives a name to."""

from sqlalchemy import delete
from sqlmodel import col

from opendeep_app.db import UnitOfWork
from opendeep_app.errors import Conflict, InvalidInput
from opendeep_app.models import SavedView
from opendeep_app.repositories import saved_views as rows

MOST = 30
LONGEST_NAME = 60


async def save(uow: UnitOfWork, user_id: str, name: str, query: str) -> SavedView:
    """Keeps a view; raises `InvalidInput` for a bad name and `Conflict` when it is taken."""
    name = " ".join(name.split())
    if not 1 <= len(name) <= LONGEST_NAME:
        raise InvalidInput("name", f"Give the view a name of up to {LONGEST_NAME} characters.")
    if len(await rows.of_user(uow.session, user_id, MOST)) == MOST:
        raise Conflict(f"You have {MOST} views. Delete one first.")
    view = SavedView(user_id=user_id, name=name, query=query, created_at=uow.now)
    if not await uow.add_unless_exists(view):
        raise Conflict(f"You have a view “{name}” already.")
    return view


async def remove(uow: UnitOfWork, user_id: str, view_id: str) -> None:
    """Forgets a view."""
    await uow.session.execute(
        delete(SavedView).where(col(SavedView.id) == view_id, col(SavedView.user_id) == user_id)
    )
