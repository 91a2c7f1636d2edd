"""kith.js on a shop's page, against an API that only takes notes."""
import json
import re
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

import preview

SNIPPET = preview.APP / "Tracking/kith.js"
STUB = "window.kith=window.kith||function(){(kith.q=kith.q||[]).push(arguments)}"
SIZE_LIMIT_BYTES = 6_000


@pytest.fixture
def shop_site():
    notes, answers = [], {"status": 200}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            if self.path.startswith("/kith.js"):
                self.answer("text/javascript", SNIPPET.read_bytes())
            elif self.path == "/favicon.ico":
                self.answer("image/x-icon", b"")
            else:
                self.answer("text/html", answers["page"].encode())

        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            notes.append((self.path, body, self.headers["Authorization"]))
            self.answer("application/json", json.dumps({"clickId": f"clk_{len(notes)}", "detail": "refused"}).encode(), answers["status"])

        def answer(self, kind, content, status=200):
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    class Site:
        base = f"http://127.0.0.1:{server.server_address[1]}"
        posted = notes

        def page(self, attributes="", queued="", body=""):
            answers["page"] = (f'<!doctype html><title>Shop</title><script>{STUB};{queued}</script>'
                               f'<script src="/kith.js" data-key="kith_pk_1" {attributes} defer></script>{body}')

        def refuse(self, status):
            answers["status"] = status

    yield Site()
    server.shutdown()


@pytest.fixture
def tab(chromium):
    context = chromium.new_context()
    page = context.new_page()
    page.thrown = []
    page.on("pageerror", lambda error: page.thrown.append(str(error)))
    yield page
    context.close()
    assert page.thrown == []


CLICK_ID = "() => new Promise(found => kith('clickId', found))"


def cookies(tab, *expected):
    """Those that the browser keeps; what a page has just written reaches its store a moment later, so expected ones are waited for."""
    until = time.monotonic() + 5
    while True:
        kept = {cookie["name"]: cookie for cookie in tab.context.cookies()}
        if kept.keys() >= set(expected) or time.monotonic() > until:
            return kept
        tab.wait_for_timeout(20)


def test_code_becomes_a_click_and_a_cookie(shop_site, tab):
    shop_site.page()
    tab.goto(f"{shop_site.base}/?via=AMIRA")
    assert tab.evaluate(CLICK_ID) == "clk_1"
    path, body, authorization = shop_site.posted[0]
    assert path == "/api/v1/track/click" and body["code"] == "AMIRA" and authorization == "Bearer kith_pk_1"
    kept = cookies(tab, "kith_click", "kith_visitor")
    assert kept["kith_click"]["value"] == "clk_1" and kept["kith_click"]["sameSite"] == "Lax" and not kept["kith_click"]["httpOnly"]
    assert body["visitorId"] == kept["kith_visitor"]["value"]


def test_reload_is_no_second_click(shop_site, tab):
    shop_site.page()
    tab.goto(f"{shop_site.base}/?via=AMIRA")
    tab.evaluate(CLICK_ID)
    tab.reload()
    assert tab.evaluate(CLICK_ID) == "clk_1"
    assert len(shop_site.posted) == 1


def test_click_id_in_the_address_is_taken_as_it_is(shop_site, tab):
    shop_site.page()
    tab.goto(f"{shop_site.base}/?kith_click=clk_from_redirect")
    assert tab.evaluate(CLICK_ID) == "clk_from_redirect"
    assert shop_site.posted == [] and cookies(tab, "kith_click")["kith_click"]["value"] == "clk_from_redirect"


def test_queued_lead_waits_for_its_click(shop_site, tab):
    shop_site.page(queued="kith('lead', {customerExternalId: 'ben'}, () => { document.title = 'told' })")
    tab.goto(f"{shop_site.base}/?ref=AMIRA")
    tab.wait_for_function("document.title === 'told'")
    assert [path for path, _, _ in shop_site.posted] == ["/api/v1/track/click", "/api/v1/track/lead"]
    assert shop_site.posted[1][1]["clickId"] == "clk_1" and shop_site.posted[1][1]["customerExternalId"] == "ben"


def test_cookieless_keeps_nothing_and_names_nobody(shop_site, tab):
    shop_site.page('data-cookieless data-parameters="friend"')
    tab.goto(f"{shop_site.base}/?friend=AMIRA&via=OTHER")
    assert tab.evaluate(CLICK_ID) == "clk_1"
    assert shop_site.posted[0][1]["code"] == "AMIRA" and "visitorId" not in shop_site.posted[0][1]
    assert cookies(tab) == {} and tab.evaluate("sessionStorage.length + localStorage.length") == 0


def test_a_friends_discount_code_waits_in_the_checkouts_field(shop_site, tab):
    shop_site.page(body='<input id="empty" data-kith-code><input id="typed" data-kith-code value="MINE">')
    tab.goto(f"{shop_site.base}/?kith_click=clk_1&kith_code=AMIRA-10")
    assert tab.evaluate("() => new Promise(found => kith('code', found))") == "AMIRA-10"
    tab.goto(f"{shop_site.base}/checkout")
    tab.wait_for_function("document.querySelector('#empty').value === 'AMIRA-10'")
    assert tab.locator("#typed").input_value() == "MINE"
    tab.evaluate("kith('consent', false)")
    assert tab.evaluate("() => new Promise(found => kith('code', found))") is None and tab.evaluate("sessionStorage.length") == 0


def test_forms_and_links_carry_the_click(shop_site, tab):
    shop_site.page(body='<form data-kith></form><form id="other"></form><a data-kith href="/pay?a=1">Pay</a>')
    tab.goto(f"{shop_site.base}/?via=AMIRA")
    tab.evaluate(CLICK_ID)
    assert tab.locator("form[data-kith] input[name=kith_click]").get_attribute("value") == "clk_1" or tab.evaluate("document.forms[0].elements.kith_click.value") == "clk_1"
    assert tab.locator("#other input").count() == 0
    assert tab.evaluate("document.links[0].href").endswith("/pay?a=1&kith_click=clk_1")


def test_nothing_before_consent_and_nothing_after_its_end(shop_site, tab):
    shop_site.page('data-consent="wait"')
    tab.goto(f"{shop_site.base}/?via=AMIRA")
    assert tab.evaluate(CLICK_ID) is None
    assert shop_site.posted == [] and cookies(tab) == {}
    tab.evaluate("kith('consent', true)")
    assert tab.evaluate(CLICK_ID) == "clk_1" and "kith_click" in cookies(tab, "kith_click")
    tab.evaluate("kith('consent', false)")
    assert tab.evaluate(CLICK_ID) is None and cookies(tab) == {}


def test_an_answer_that_comes_after_the_end_of_consent_is_forgotten(shop_site, tab):
    shop_site.page('data-consent="wait"')
    held = []
    tab.route("**/api/v1/track/click", lambda route: held.append(route))
    tab.goto(f"{shop_site.base}/?via=AMIRA")
    tab.evaluate("""() => {
      kith('consent', true);
      kith('lead', {customerExternalId: 'c-1', customerEmail: 'friend@mail.test'});
      kith('consent', false);
    }""")
    tab.wait_for_function("() => true")
    for route in held:
        route.continue_()
    tab.wait_for_load_state("networkidle")
    assert tab.evaluate(CLICK_ID) is None and cookies(tab) == {}
    assert not [path for path, *_ in shop_site.posted if "lead" in str(path)]
    assert tab.evaluate("sessionStorage.length") == 0


def test_only_web_addresses_are_touched(shop_site, tab):
    shop_site.page(body='<a data-kith href="tel:123">Call</a><a data-kith href="mailto:a@b.test">Write</a>')
    tab.goto(f"{shop_site.base}/?via=AMIRA")
    tab.evaluate(CLICK_ID)
    assert tab.evaluate("[...document.links].map((link) => link.href)") == ["tel:123", "mailto:a@b.test"]


def test_the_click_goes_along_to_another_domain(shop_site, tab):
    # localhost and 127.0.0.1 are two hosts to a browser: neither sees the other's cookies.
    elsewhere = shop_site.base.replace("127.0.0.1", "localhost")
    shop_site.page(body=f'<a data-kith href="{elsewhere}/pay?a=1">Pay</a>')
    tab.goto(f"{shop_site.base}/?via=AMIRA")
    assert tab.evaluate(CLICK_ID) == "clk_1"
    tab.click("a")
    tab.wait_for_url(f"{elsewhere}/pay?a=1&kith_click=clk_1")
    assert tab.evaluate(CLICK_ID) == "clk_1"
    assert {(cookie["domain"], cookie["value"]) for cookie in tab.context.cookies() if cookie["name"] == "kith_click"} == {("127.0.0.1", "clk_1"), ("localhost", "clk_1")}
    assert len(shop_site.posted) == 1, "it is the same click"


def test_without_consent_nothing_goes_along(shop_site, tab):
    elsewhere = shop_site.base.replace("127.0.0.1", "localhost")
    shop_site.page('data-consent="wait"', body=f'<a data-kith href="{elsewhere}/pay">Pay</a>')
    tab.goto(f"{shop_site.base}/?via=AMIRA&kith_click=clk_9")
    tab.click("a")
    tab.wait_for_url(f"{elsewhere}/pay")
    assert shop_site.posted == [] and cookies(tab) == {} and tab.evaluate("sessionStorage.length") == 0


@pytest.mark.parametrize("call", ["kith()", "kith('nonsense')", "kith('lead')", "kith('lead', null)", "kith('clickId')", "kith('click', 7)", "kith('clickId', () => { throw new Error('theirs') })"])
def test_it_never_throws_into_the_page(shop_site, tab, call):
    shop_site.page()
    tab.goto(shop_site.base)
    tab.evaluate(f"() => {{ {call} }}")


def test_a_refusal_leaves_the_page_alone(shop_site, tab):
    shop_site.page()
    shop_site.refuse(422)
    tab.goto(f"{shop_site.base}/?via=NOBODY")
    assert tab.evaluate(CLICK_ID) is None
    assert "kith_click" not in cookies(tab)


def test_it_is_small():
    import gzip

    assert len(gzip.compress(SNIPPET.read_bytes(), 9)) < SIZE_LIMIT_BYTES


def test_it_parses_and_minifies():
    made = subprocess.run(["esbuild", "--minify", "--target=es2020", "--log-level=warning", str(SNIPPET)], capture_output=True, text=True, timeout=60)
    assert made.returncode == 0 and made.stderr == "", made.stderr
    assert "import" not in made.stdout.split("(")[0] and "eval(" not in made.stdout


def test_every_function_says_its_types():
    lines = SNIPPET.read_text().splitlines()
    bare = [line.strip() for before, line in zip(lines, lines[1:]) if re.match(r"\s*function \w+\([^)]", line) and not re.search(r"\*/\s*$", before)]
    assert bare == []
