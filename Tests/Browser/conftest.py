"""What the browser tests share: Chromium, a server of their own with a seeded workspace, and the closing line."""
import contextlib
import json
import os
import pathlib
import queue
import re
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

import pytest
from playwright.sync_api import sync_playwright

sys.path.insert(0, str(pathlib.Path(__file__).parent))
ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("KITH_BINARY", ROOT / ".build/debug/kith"))
START_SECONDS = 60
TEMPLATES = "test_templates.py"
HUMAN = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/146.0.0.0 Safari/537.36"
WIDTHS = (390, 1440)
MODES = [(width, scheme) for width in WIDTHS for scheme in ("light", "dark")]


@pytest.fixture(scope="session")
def chromium():
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server for each file of tests: what one makes, no other sees."""
    with serving(tmp_path_factory.mktemp("kith")) as server:
        yield server


@contextlib.contextmanager
def serving(folder, is_test=False, **settings):
    """A server with a new workspace, its files in the folder; the keys are the live workspace's or the test twin's."""
    assert BINARY.exists(), f"{BINARY} is missing: build it first (swift build --product kith)"
    database = f"sqlite:{folder}/kith.sqlite"
    made = subprocess.run(
        [BINARY, "setup", "--database", database, "--workspace", "Morgenrot", "--email", "mira@morgenrot.example", "--name", "Mira Hoff", "--json", *(["--test"] if is_test else [])],
        capture_output=True, text=True, timeout=START_SECONDS, cwd=folder)
    assert made.returncode == 0, made.stderr
    log = open(folder / "server.log", "w+")
    process = subprocess.Popen([BINARY, "serve", "--database", database, "--host", "127.0.0.1", "--port", "0"],
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=folder,
                               env={**os.environ, "KITH_RATE_LIMIT": "0", **settings})
    try:
        yield Server(json.loads(made.stdout), address(process, log), database)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
        log.close()


def address(process, log):
    """The first address that the server prints."""
    lines = queue.Queue()

    def read():
        for line in process.stdout:
            log.write(line)
            lines.put(line)
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    until = time.monotonic() + START_SECONDS
    seen = []
    while time.monotonic() < until:
        try:
            line = lines.get(timeout=1)
        except queue.Empty:
            continue
        if line is None:
            break
        seen.append(line)
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        if found:
            return found.group()
    pytest.fail("the server printed no address:\n" + "".join(seen[-20:]))


class Server:
    def __init__(self, made, base, database):
        self.base, self.database = base, database
        self.email, self.password = made["ownerEmail"], made["ownerPassword"]
        self.secret_key, self.publishable_key = made["secretKey"], made["publishableKey"]

    def call(self, method, path, body=None):
        request = urllib.request.Request(self.base + "/api/v1" + path, method=method,
                                         data=None if body is None else json.dumps(body).encode(),
                                         headers={"Authorization": f"Bearer {self.secret_key}", "Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            pytest.fail(f"{method} {path} answered {error.code}: {error.read().decode()[:600]}")

    def follow(self, code):
        """Clicks a link as a person's browser would, and gives the click id."""
        request = urllib.request.Request(f"{self.base}/r/{code}", headers={
            "User-Agent": HUMAN, "Accept-Language": "en", "Sec-Fetch-Dest": "document", "Sec-Fetch-Mode": "navigate"})
        opener = urllib.request.build_opener(NoRedirect)
        try:
            opener.open(request, timeout=30)
        except urllib.error.HTTPError as answer:
            assert answer.code == 302, answer.code
            return re.search(r"[?&]kith_click=([^&]+)", answer.headers["Location"]).group(1)
        pytest.fail(f"/r/{code} did not redirect")


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


@pytest.fixture(scope="module")
def shop(server):
    """A program with three people in a line, links, clicks, and three sales: shared, partly returned, nobody's."""
    program = server.call("POST", "/programs", {"name": "Friends of Morgenrot", "currency": "EUR", "timezone": "Europe/Berlin",
                                                "holdDays": 14, "allowedHosts": ["shop.example"]})
    for name, rate, level in (("Sharer", "0.10", 0), ("Above the sharer", "0.03", 1)):
        server.call("POST", f"/programs/{program['id']}/rules",
                    {"name": name, "event": "sale", "reward": {"kind": "percent", "rate": rate}, "for": "member", "level": level})
    people, above = [], None
    for name in ("Owen Sand", "Lena Moor", "Amira Kaya"):
        person = {"programId": program["id"], "email": f"{name.split()[0].lower()}@people.example", "name": name}
        if above:
            person["enrollerId"] = above
        above = server.call("POST", "/members", person)["id"]
        people.append(above)
    links = [server.call("POST", "/links", {"programId": program["id"], "memberId": member, "destination": "https://shop.example/welcome", "code": code})
             for member, code in zip(people, ("OWEN", "lena-herbst", "AMIRA"))]
    click = server.follow("AMIRA")
    lead = server.call("POST", "/track/lead", {"clickId": click, "eventName": "signup", "customerExternalId": "ben"})
    sale = {"customerExternalId": "ben", "amount": 8600, "currency": "EUR", "invoiceId": "MR-88213", "clickId": click}
    shared = server.call("POST", "/track/sale", sale)
    returned = server.call("POST", "/track/sale", {**sale, "amount": 6200, "invoiceId": "MR-88227"})
    server.call("POST", "/track/refund", {"invoiceId": "MR-88227", "refundId": "re_1", "amount": 2400, "reason": "One bag was not liked"})
    nobodys = server.call("POST", "/track/sale", {"programId": program["id"], "customerExternalId": "piet", "amount": 3900, "currency": "EUR", "invoiceId": "MR-88238"})
    return {"program": program, "people": people, "links": links, "shared": shared["saleId"], "returned": returned["saleId"], "nobodys": nobodys["saleId"],
            "lead": lead["leadId"]}


@pytest.fixture(scope="module")
def signed_in(chromium, server):
    """Cookies of a signed-in owner."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{server.base}/sign-in")
    sign_in(page, server.email, server.password)
    page.wait_for_url(f"{server.base}/")
    state = context.storage_state()
    context.close()
    return state


def sign_in(page, email, password):
    page.fill("input[name=email]", email)
    page.fill("input[name=password]", password)
    page.click("main button[type=submit]")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """The samples of templates come last: they are many and short, so that workers who share the tests end together."""
    items.sort(key=lambda item: item.path.name == TEMPLATES)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """A worker gets whole files, because the tests of one share its server; of the templates it gets the samples of one letter."""
    from xdist.scheduler import LoadScopeScheduling

    class ByServer(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            sample = re.search(r"\[(plain|long|rtl)-(\w)", nodeid)
            return "-".join(sample.groups()) if sample else nodeid.partition("::")[0]

    config.option.loadscopereorder = False
    return ByServer(config, log)


def pytest_unconfigure(config):
    """The last line of all, in the form that any reader of a log finds."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None:
        return
    passed = len(reporter.stats.get("passed", []))
    failed = len(reporter.stats.get("failed", [])) + len(reporter.stats.get("error", []))
    reporter.write_line(f"{passed} passed, {failed} failed")
