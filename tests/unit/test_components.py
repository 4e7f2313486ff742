"""The components that are functions of `assets/*.jsx`: both sides name the same properties."""

import re
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest
from reflex.utils.format import to_camel_case

from opendeep_app import components
from opendeep_app.components.browser import Modal, Piece

ASSETS = Path(__file__).parents[2] / "assets"


def pieces(base: type[Piece] = Piece) -> list[type[Piece]]:
    """All that have a tag."""
    for module in iter_modules(components.__path__, f"{components.__name__}."):
        import_module(module.name)
    found = [each for kind in base.__subclasses__() for each in (kind, *pieces(kind))]
    return [each for each in found if isinstance(each.tag, str)]


@pytest.mark.parametrize("piece", pieces(), ids=lambda piece: piece.__name__)
def test_the_browser_takes_what_the_component_gives(piece: type[Piece]) -> None:
    assert piece.library is not None
    source = (ASSETS / piece.library.rpartition("/")[2]).read_text()
    found = re.search(rf"export function {piece.tag}\(\{{(.*?)\}}\)", source, re.DOTALL)
    assert found is not None, f"{piece.library} exports no {piece.tag} with named properties"
    taken = {each.split("=")[0].strip() for each in found[1].split(",")}
    own = (piece.get_fields().keys() | piece.get_event_triggers().keys()) - (
        Piece.get_fields().keys() | Piece.get_event_triggers().keys()
    )
    assert {to_camel_case(each) for each in own} <= taken


def test_a_property_that_a_component_does_not_have_is_refused() -> None:
    with pytest.raises(TypeError, match="Modal has no open, shown"):
        Modal.create("Really?", shown=True, open=True, subject="1", id="a", custom_attrs={})
