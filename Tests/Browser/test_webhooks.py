"""Webhooks from the page to a receiver that checks them with the library of Standard Webhooks."""
import http.server
import threading
import time

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from conftest import serving, sign_in
from inspection import Visit

WAIT_SECONDS = 20


class Receiver:
    def __init__(self):
        self.messages, self.status = [], 204
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                receiver.messages.append((dict(self.headers), self.rfile.read(int(self.headers["content-length"]))))
                self.send_response(receiver.status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hooks"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def wait(self, count):
        until = time.monotonic() + WAIT_SECONDS
        while len(self.messages) < count:
            assert time.monotonic() < until, f"{len(self.messages)} of {count} messages came"
            time.sleep(0.05)
        return self.messages


@pytest.fixture
def receiver():
    receiver = Receiver()
    yield receiver
    receiver.server.shutdown()


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("kith"), KITH_EGRESS_ALLOW="127.0.0.0/8") as server:
        server.program = server.call("POST", "/programs", {"name": "Friends", "currency": "EUR"})["id"]
        yield server


def lower(headers):
    return {name.lower(): value for name, value in headers.items()}


def enrol(house, name):
    return house.call("POST", "/members", {"programId": house.program, "email": f"{name}@people.example"})["id"]


def test_the_library_of_the_standard_takes_our_messages(house, receiver):
    made = house.call("POST", "/webhooks", {"url": receiver.url, "events": ["member.created"]})
    member = enrol(house, "one")
    headers, body = receiver.wait(1)[0]
    event = Webhook(made["secret"]).verify(body, lower(headers))
    assert event["type"] == "member.created" and event["data"]["memberId"] == member
    assert event["id"] == lower(headers)["webhook-id"]
    with pytest.raises(WebhookVerificationError):
        Webhook(made["secret"]).verify(body.replace(b"member.created", b"member.erased_"), lower(headers))
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_" + "A" * 44).verify(body, lower(headers))
    new = house.call("POST", f"/webhooks/{made['id']}/secret", {})["secret"]
    enrol(house, "two")
    headers, body = receiver.wait(2)[1]
    for secret in (made["secret"], new):
        Webhook(secret).verify(body, lower(headers))
    house.call("DELETE", f"/webhooks/{made['id']}")


def test_the_address_of_the_documentation_is_the_one_that_is_sent(house, receiver):
    """What a failure says is what the page shows; sent again it arrives."""
    receiver.status = 503
    made = house.call("POST", "/webhooks", {"url": receiver.url, "events": ["*"]})
    house.call("POST", f"/webhooks/{made['id']}/test", {})
    receiver.wait(1)
    until = time.monotonic() + WAIT_SECONDS
    while not (delivery := house.call("GET", f"/webhooks/{made['id']}/deliveries")["data"][0])["tries"]:
        assert time.monotonic() < until
        time.sleep(0.05)
    assert delivery["status"] == 503 and delivery["state"] == "waiting" and delivery["nextTryAt"]
    receiver.status = 204
    house.call("POST", f"/webhooks/deliveries/{delivery['id']}/replay", {})
    assert len({lower(headers)["webhook-id"] for headers, _ in receiver.wait(2)}) == 1
    house.call("DELETE", f"/webhooks/{made['id']}")


def test_from_the_empty_page_to_a_test_that_arrived(house, receiver, chromium):
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{house.base}/sign-in")
    sign_in(page, house.email, house.password)
    page.wait_for_url(f"{house.base}/")
    page.goto(f"{house.base}/webhooks")
    assert "webhook-signature" in page.inner_text("main"), "an empty page shows what would come"
    form = page.locator("form[action='/webhooks']")
    form.locator("input[name=url]").fill("http://192.168.0.1/hooks")
    form.locator("input[value='member.created']").check()
    form.locator("button").click()
    assert page.locator("#field-url-error").inner_text()
    form = page.locator("form[action='/webhooks']")
    assert form.locator("input[value='member.created']").is_checked(), "what was chosen stays"
    form.locator("input[name=url]").fill(receiver.url)
    form.locator("button").click()
    page.wait_for_load_state("load")
    secret = page.locator("main code, main pre").first.inner_text().strip()
    assert secret.startswith("whsec_")
    page.locator("form[action$='/test'] button").click()
    page.wait_for_load_state("load")
    headers, body = receiver.wait(1)[0]
    assert Webhook(secret).verify(body, lower(headers))["type"] == "webhook.tested"
    until = time.monotonic() + WAIT_SECONDS
    while "204" not in page.inner_text("main"):
        assert time.monotonic() < until
        page.reload()
    assert secret not in page.content(), "shown once"
    page.locator("form[action*='/deliveries/'] button").first.click()
    receiver.wait(2)
    state = context.storage_state()
    url = page.url.split("?")[0].split("#")[0]
    context.close()
    with Visit(chromium, 390, "light", state) as visit:
        for address in (f"{house.base}/webhooks", url):
            visit.open(address)
            visit.check_in_every_mode()
