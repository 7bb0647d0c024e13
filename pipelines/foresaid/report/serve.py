"""Show the rendered site to a browser on this machine, as any static host would.

Pages work from the disk too; a server is for what a browser allows over HTTP alone, or to see the site below a path. It listens on
the loopback address alone and lets a browser keep nothing, so that a page rendered anew is seen.
"""

from __future__ import annotations

from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from foresaid.errors import ParameterError, UnreadableError

HOST = "127.0.0.1"


class Handler(SimpleHTTPRequestHandler):
    """Files of the site with their types, without a log and never kept by the browser."""

    extensions_map = {  # noqa: RUF012 - the class attribute of the library
        **SimpleHTTPRequestHandler.extensions_map,
        ".js": "text/javascript; charset=utf-8",
        ".xml": "application/atom+xml; charset=utf-8",
        ".parquet": "application/vnd.apache.parquet",
    }

    def end_headers(self) -> None:
        """Add that nothing is to be kept."""
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing of single requests."""


def address(shown: ThreadingHTTPServer) -> str:
    """Where a browser finds what is served."""
    return f"http://{HOST}:{shown.server_port}/"


def server(site: Path, port: int) -> ThreadingHTTPServer:
    """Return a server of a folder, bound to a port of the loopback address (0: any that is free) and not yet serving.

    Raises UnreadableError where no site is there, ParameterError where the port is taken.
    """
    if not (site / "index.html").is_file():
        raise UnreadableError(f"{site}: found no index.html, expected the rendered site; run `foresaid report`")
    try:
        return ThreadingHTTPServer((HOST, port), partial(Handler, directory=str(site)))
    except OSError as error:
        raise ParameterError(f"--port {port}: {error.strerror}, expected a free port; name another, or 0 for any") from None
