"""Recordings for the browser: signed-in people hear their own calls.

`<audio>` sends the session's cookie and asks for parts of the file, which is how seeking works.
"""

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from opendeep_app.api.auth import COOKIE
from opendeep_app.api.problems import problem
from opendeep_app.runtime import deps
from opendeep_app.services import accounts, recordings


async def recording(request: Request) -> Response:
    """The recording of one call, whole or in the range asked for."""
    here = deps()
    async with here.db.reading() as session:
        token = request.cookies.get(COOKIE, "")
        user = await accounts.user_for_session(session, token) if token else None
        if user is None:
            return problem(401, "Sign in to hear recordings.")
        name = await recordings.file_of(session, user.id, request.path_params["call_id"])
    path = recordings.directory(here.settings) / name if name else None
    if path is None or not path.is_file():
        return problem(404, "There is no recording of this call.")
    headers = {"Cache-Control": "private, max-age=3600"}
    return FileResponse(path, media_type="audio/wav", headers=headers)
