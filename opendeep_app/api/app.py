"""The REST API: what the web process serves below `/api`."""

from fastapi import Depends, FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from opendeep_app.api import (
    calls,
    campaigns,
    do_not_call,
    events,
    facts,
    info_requests,
    live_calls,
    practice,
    problems,
    scheduling,
    task_data,
    tasks,
    webhooks,
)
from opendeep_app.api.access import KeyRequired, refuse_media_types, refuse_parameters
from opendeep_app.api.bodies import LimitedBody
from opendeep_app.api.docs import page
from opendeep_app.api.openapi import PREFIX, describe, methods
from opendeep_app.essentials import Essentials

ROUTERS = (
    tasks.router,
    scheduling.router,
    task_data.router,
    info_requests.router,
    calls.router,
    facts.router,
    live_calls.router,
    campaigns.router,
    do_not_call.router,
    webhooks.router,
    events.router,
    practice.router,
)


def build_api(deps: Essentials) -> FastAPI:
    """The API over one process's dependencies, to be mounted at `PREFIX`."""
    app = FastAPI(
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        dependencies=[Depends(refuse_media_types), Depends(refuse_parameters)],
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.deps = deps
    app.add_middleware(LimitedBody)
    app.add_middleware(KeyRequired, deps=deps)
    problems.install(app)
    for router in ROUTERS:
        app.include_router(router)

    description = describe(app)
    html = page(description)
    app.state.methods = methods(description)

    async def openapi(request: Request) -> Response:
        return JSONResponse(description)

    async def docs(request: Request) -> Response:
        return HTMLResponse(html)

    async def home(request: Request) -> Response:
        return RedirectResponse(f"{PREFIX}/docs")

    app.add_route("/openapi.json", openapi)
    app.add_route("/docs", docs)
    app.add_route("/", home)
    return app
