"""The rendered site over HTTP on this machine."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from foresaid.errors import ParameterError, UnreadableError
from foresaid.report.serve import address, server


@pytest.fixture
def running(tmp_path: Path) -> Iterator[ThreadingHTTPServer]:
    (tmp_path / "index.html").write_text("<h1>first</h1>", encoding="utf-8")
    (tmp_path / "site.js").write_text("1", encoding="utf-8")
    made = server(tmp_path, 0)
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


def test_the_first_page_is_served_from_the_loopback_address_and_not_kept(running: ThreadingHTTPServer) -> None:
    with urllib.request.urlopen(address(running), timeout=10) as answer:
        assert answer.read() == b"<h1>first</h1>"
        assert answer.headers["Cache-Control"] == "no-store"
    with urllib.request.urlopen(f"{address(running)}site.js", timeout=10) as answer:
        assert answer.headers["Content-Type"].startswith("text/javascript")
    assert running.server_address[0] == "127.0.0.1"


def test_nothing_outside_the_site_is_served(running: ThreadingHTTPServer, tmp_path: Path) -> None:
    (tmp_path.parent / "secret").write_text("x", encoding="utf-8")
    for path in ("../secret", "%2e%2e/secret", "none.html"):
        with pytest.raises(urllib.error.HTTPError) as found:
            urllib.request.urlopen(f"{address(running)}{path}", timeout=10)
        assert found.value.code == 404
        found.value.close()


def test_a_port_that_is_taken_and_a_site_that_is_not_there_are_refused(running: ThreadingHTTPServer, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="expected a free port"):
        server(tmp_path, int(running.server_address[1]))
    with pytest.raises(UnreadableError, match="run `foresaid report`"):
        server(tmp_path / "none", 0)
