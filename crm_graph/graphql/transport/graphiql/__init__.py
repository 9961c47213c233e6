"""GraphiQL, the GraphQL editor for browsers, from files of this package: it works offline, and asks no other server.

`packages.json` says which npm packages the files are from; `make graphiql` fetches them again and checks them.
"""

from importlib.resources import files
from pathlib import PurePath

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crm_graph.errors import NotFound

FOLDER = files(__name__).joinpath("files")
MEDIA_TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".txt": "text/plain"}
PAGE = "page.html"
# Nothing but this server's own files; the stylesheet brings its fonts with it.
POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; "
    "font-src data:; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def page() -> Response:
    """The page, which queries the server that it comes from."""
    return _file(PAGE)


def asset_route() -> Route:
    """The route of the page's scripts and styles."""
    names = {file.name for file in FOLDER.iterdir()}

    async def asset(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in names:
            raise NotFound(f"GraphiQL has no file {name[:100]}")
        return _file(name)

    return Route("/graphiql/{name}", asset, methods=["GET"])


def _file(name: str) -> Response:
    headers = {
        "Content-Security-Policy": POLICY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-cache",
    }
    return Response(FOLDER.joinpath(name).read_bytes(), 200, headers, MEDIA_TYPES[PurePath(name).suffix])
