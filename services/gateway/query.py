"""The query string holds what the route declares: what is not read there would silently do nothing."""

from __future__ import annotations

from fastapi.routing import APIRoute
from starlette.requests import Request

from services.common.errors import UnexpectedField


async def known_query(request: Request) -> None:
    """Raises UnexpectedField for a parameter that the route does not know."""
    given = request.query_params.keys()
    if not given:
        return
    route = request.scope["route"]
    assert isinstance(route, APIRoute)
    known = [field.alias for field in route.dependant.query_params]
    unknown = sorted(given - set(known))
    if unknown:
        takes = f"takes {', '.join(known)}" if known else "takes none"
        raise UnexpectedField(f"{unknown[0][:80]!r} is not known in the query string; this address {takes}")
