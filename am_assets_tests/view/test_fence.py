"""What strangers can't do: rows run nothing and ask nobody, other sites and other hosts are refused."""

import json
import re
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from am_assets.view import marks
from am_assets_tests.services import until
from am_assets_tests.ui.browser import Browser, browsing
from am_assets_tests.view.attacks import attacks
from am_assets_tests.view.conftest import TWELVE
from am_assets_tests.view.stored import Asked, pages, write_tables

# What acts, of what stands in texts of rows; KaTeX colours what it can't read.
LIVE = """[...document.querySelectorAll(":is(.prose, .program, bdi, td > small) *")].flatMap(
    (one) => [...one.attributes]
    .filter(({ name }) => /^(on.*|href|.*:href|src|srcdoc|action|data|style|id)$/.test(name))
    .map(({ name, value }) => `${one.localName} ${name}=${value}`)
    .filter((found) => found !== "span style=color:#cc0000")
    .concat(one.localName.match(/^(script|iframe|object|embed|link|meta|base|form|style|img|a)$/) ?? []))"""
RESPONSE = TWELVE.response_id(0)


class Canary:
    """Notes who asks, and serves the attacks as they are at /bare."""

    def __init__(self) -> None:
        asked = self.asked = list[str]()
        canary = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if not self.path.endswith("favicon.ico"):
                    asked.append(self.path)
                self.send_response(200)
                self.send_header("content-type", "text/html")
                self.end_headers()
                self.wfile.write(canary.bare.encode() if self.path.startswith("/bare") else b"")

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.bare = ""


@pytest.fixture(scope="module")
def canary() -> Iterator[Canary]:
    canary = Canary()
    yield canary
    canary.server.shutdown()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing("", 1300, 1000) as browser:
        yield browser


def ask(browser: Browser, expression: str) -> Any:
    return browser.driver.execute_script(f"return {expression}")


def requested(browser: Browser) -> set[str]:
    """What the browser asked for since the last call, by its own log."""
    messages = [json.loads(entry["message"])["message"] for entry in browser.driver.get_log("performance")]
    sent = [one["params"]["request"]["url"] for one in messages if one["method"] == "Network.requestWillBeSent"]
    return {url for url in sent if not url.startswith("chrome")}


@pytest.mark.browser
@pytest.mark.slow
def test_no_script_of_a_row_runs_and_nobody_else_is_asked(tmp_path: Path, canary: Canary, browser: Browser) -> None:
    texts = attacks(canary.url)
    one_each = [
        Asked(f"{name}: {text}", text, [(text, text, "a", "fail")], tests='{"test_code": "</script>"}')
        for name, text in texts.items()
    ]
    all_in_one = Asked("All of them", "1", [(text, f"{name} {text}", text, "fail") for name, text in texts.items()])
    write_tables(tmp_path, [all_in_one, *one_each])
    for name in texts:  # what people write comes back too
        marks.add(tmp_path, marks.Mark(all_in_one.response_id(0), all_in_one.id, "wrong", texts[name], texts[name]))
    with pages(tmp_path) as client:
        here = str(client.base_url)
        requested(browser)
        for path in ("/", f"/row/{all_in_one.id}", *(f"/row/{one.id}" for one in one_each[-3:]), "/marks", "/compare"):
            browser.open(f"{here}{path}")
            until(lambda: ask(browser, "document.documentElement.dataset.drawn") == "", f"{path} is drawn", 60)
            browser.driver.execute_script("document.querySelectorAll('details').forEach((one) => { one.open = true })")
            time.sleep(0.2)  # what opened is drawn, and what it might start has started
            assert ask(browser, LIVE) == [], path
            assert ask(browser, "window.ran") is None, path
            assert browser.driver.current_url == f"{here}{path}"
        assert {url for url in requested(browser) if not url.startswith(here)} == set()
        assert canary.asked == []
        browser.open(f"{here}/row/{all_in_one.id}")
        assert browser.find(".prose math")  # and what is no attack is drawn


@pytest.mark.browser
@pytest.mark.slow
def test_the_same_texts_do_run_and_ask_where_nothing_fences_them(canary: Canary, browser: Browser) -> None:
    for alone in ("a refresh", "a form", "another base"):  # they leave the page
        canary.bare = attacks(canary.url)[alone]
        browser.open(f"{canary.url}/bare/{alone[2:6]}")
    canary.bare = "".join(text for name, text in attacks(canary.url).items() if name not in ("a refresh", "a form"))
    browser.open(f"{canary.url}/bare")
    until(lambda: browser.driver.execute_script("return window.ran"), "a script ran")
    reached = {"/img", "/frame", "/style", "/sheet", "/refresh", "/object", "/background", "/script"}
    until(lambda: reached <= {path.rstrip("?") for path in canary.asked}, f"{reached - {*canary.asked}} were asked for")


def test_every_answer_forbids_scripts_but_our_own(stored: Path) -> None:
    with pages(stored) as client:
        for path in ("/", f"/row/{TWELVE.id}", "/row/0000000", "/marks", "/report", "/static/view.js", "/nowhere"):
            headers = client.get(path).headers
            policy = dict(one.strip().partition(" ")[::2] for one in headers["content-security-policy"].split(";"))
            assert policy["default-src"] == "'none'" and policy["script-src"] == "'self'"
            assert policy["base-uri"] == policy["frame-ancestors"] == "'none'"
            assert (
                "unsafe" not in headers["content-security-policy"] and "http" not in headers["content-security-policy"]
            )
            assert headers["x-content-type-options"] == "nosniff"


def test_templates_trust_no_value_and_hold_no_script_of_their_own() -> None:
    folder = Path(marks.__file__).parent / "templates"
    for template in folder.glob("*.html"):
        text = template.read_text()
        assert not re.search(r"\|\s*safe|autoescape|<script(?![^>]* src=)|\son\w+=|style=|javascript:", text), template


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1.evil.example:{port}", "127.0.0.1", ""]
)
def test_a_name_that_was_bound_to_this_address_is_refused(stored: Path, host: str) -> None:
    with pages(stored) as client:
        port = client.base_url.port
        assert client.get("/", headers={"host": f"localhost:{port}"}).status_code == 200
        assert client.get("/", headers={"host": host.format(port=port)}).status_code in (400, 421)


def send_mark(client: httpx.Client, headers: dict[str, str] | None = None, **form: str) -> httpx.Response:
    page = client.get(f"/row/{TWELVE.id}").text
    token = re.search(r'name="token" value="([^"]+)"', page)[1]  # type: ignore[index]
    given = {"token": token, "response": RESPONSE, "question": TWELVE.id, "says": "right", **form}
    return client.post("/mark?recipe=plain", data=given, headers=headers or {})


def test_a_mark_takes_a_form_of_this_page(tmp_path: Path) -> None:
    write_tables(tmp_path, [TWELVE])
    with pages(tmp_path) as client:
        refused = [
            send_mark(client, token=""), send_mark(client, token="x" * 32), send_mark(client, says="perhaps"),
            send_mark(client, headers={"sec-fetch-site": "cross-site"}), send_mark(client, response="../../x"),
            send_mark(client, note="x" * 30_000), client.get("/mark"), client.post("/mark"),
        ]  # fmt: skip
        assert [one.status_code for one in refused] == [403, 403, 400, 403, 400, 413, 405, 403]
        assert not (tmp_path / marks.FILE).exists()
        sent = send_mark(client, headers={"sec-fetch-site": "same-origin"}, note=" as it should be ")
        assert (sent.status_code, sent.headers["location"]) == (
            303,
            f"/row/{TWELVE.id}?recipe=plain&response={RESPONSE}",
        )
    (mark,) = marks.read(tmp_path).values()
    assert (mark.id, mark.says, mark.note) == (RESPONSE, "right", "as it should be")


def test_with_a_token_nobody_enters_without_it(stored: Path) -> None:
    token = "0123456789abcdef"
    with pages(stored, token) as client:
        for query in ("", "?token=", "?token=0123456789abcdeX", "?token=é"):
            assert client.get(f"/{query}").status_code == 403
        assert client.get("/static/view.js").status_code == 403
        assert client.post("/mark", params={"token": token}).status_code == 403
        assert client.get("/", headers={"authorization": f"Bearer {token}"}).status_code == 200
        entered = client.get(
            client.base_url.copy_with(raw_path=b"//elsewhere.example/?verdict=pass&token=" + token.encode())
        )
        assert (entered.status_code, entered.headers["location"]) == (303, "/elsewhere.example/?verdict=pass")
        kept = entered.headers["set-cookie"].lower()
        assert "httponly" in kept and "samesite=strict" in kept
        assert client.get("/").status_code == 200  # with the cookie
