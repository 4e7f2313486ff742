"""Who can be called on the practice line."""

from fastapi import APIRouter

from opendeep_app.api.access import Caller, Deps
from opendeep_app.api.fields import Output
from opendeep_app.errors import NotFound
from opendeep_app.practice.personas import personas

router = APIRouter(prefix="/practice", tags=["Practice line"])


class Persona(Output):
    """Somebody on the practice line, and how they behave when called."""

    phone_number: str
    name: str
    behaviour: str


@router.get("/personas")
async def list_personas(caller: Caller, deps: Deps) -> list[Persona]:
    """Everyone on the practice line; 404 when real credentials are set."""
    if not deps.settings.practice:
        raise NotFound("The line is live; there is nobody to practise with.")
    return [Persona.model_validate(persona) for persona in personas()]
