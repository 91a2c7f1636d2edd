"""The portal inside another site's page, in a real browser: of sites that were named, by an address that is good once."""
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

WAIT_MS = 10_000


@pytest.fixture
def site():
    """Another site: `localhost` is not `127.0.0.1`."""
    pages = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            content = pages.get(self.path, "").encode()
            self.send_response(200 if content else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    yield f"http://localhost:{httpd.server_port}", pages
    httpd.shutdown()
    httpd.server_close()


def frame_page(address):
    return f"""<!doctype html><title>Shop</title><iframe src="{address}" title="Refer a friend" width="400" height="300"></iframe>
<script>addEventListener("message", (event) => {{ if (event.data.kith === "height") document.title = `height ${{event.data.height}} of ${{event.origin}}` }})</script>"""


def wish(server, shop):
    member = server.call("POST", "/members", {"programId": shop["program"]["id"], "email": "framed@people.example", "name": "Frame Moor", "externalId": "framed"})["id"]
    return server.call("POST", "/tokens/embed", {"memberId": member, "portal": True})["embedUrl"]


def test_a_named_site_shows_the_portal(server, shop, chromium, site):
    base, pages = site
    server.call("PUT", "/embedding", {"origins": [base]})
    pages["/"] = frame_page(wish(server, shop))
    context = chromium.new_context()
    page = context.new_page()
    page.goto(base + "/")
    frame = page.frame_locator("iframe")
    frame.locator("nav.tabs").wait_for(timeout=WAIT_MS)
    page.wait_for_function("document.title.startsWith('height ')", timeout=WAIT_MS)
    assert page.title().endswith(f"of {server.base}") and int(page.title().split()[1]) > 100
    # The session stays while the member goes about, by links and by forms.
    frame.locator("nav.tabs a[href='/portal/profile']").click()
    frame.locator("input[name=name]").fill("Framed Moor")
    frame.locator("form:has(input[name=name]) button[type=submit]").first.click()
    frame.locator("[role=status]").first.wait_for(timeout=WAIT_MS)
    # Outside the frame nobody is signed in, and the address is used up.
    outside = context.new_page()
    outside.goto(server.base + "/portal")
    assert outside.url.endswith("/portal/sign-in")
    outside.close()
    page.reload()
    assert "ended" in frame.locator("h1").inner_text(timeout=WAIT_MS)
    context.close()


def test_no_other_site_shows_it(server, shop, chromium, site):
    base, pages = site
    server.call("PUT", "/embedding", {"origins": ["https://www.shop.example"]})
    pages["/"] = frame_page(wish(server, shop))
    context = chromium.new_context()
    page = context.new_page()
    told = []
    page.on("console", lambda message: told.append(message.text))
    page.goto(base + "/")
    page.wait_for_timeout(500)
    assert any("frame-ancestors" in text for text in told), told
    assert page.frames[1].url.startswith("chrome-error:") and page.title() == "Shop"
    context.close()
