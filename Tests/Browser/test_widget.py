"""The widget in a plain HTML shop, in a real browser: share, the friend's page, the code, the purchase, both rewarded, the refund, both adjusted."""
import gzip
import hashlib
import os
import re
import subprocess
import sys

import pytest

from conftest import HUMAN, ROOT
from preview import APP

WAIT_MS = 15_000
SCRIPT = APP / "Widget/widget.js"
SIZE_LIMIT_BYTES = 30_000


@pytest.fixture
def program(server):
    made = server.call("POST", "/programs", {"name": "Friends of Morgenrot", "currency": "EUR", "holdDays": 0, "allowedHosts": ["127.0.0.1", "localhost"]})
    rules = f"/programs/{made['id']}/rules"
    server.call("POST", rules, {"name": "Sharer", "event": "sale", "reward": {"kind": "percent", "rate": "0.10"}, "for": "member"})
    server.call("POST", rules, {"name": "Friend", "event": "sale", "reward": {"kind": "credit", "amount": 500, "currency": "EUR"}, "for": "friend",
                                "conditions": {"all": [{"field": "saleNumber", "op": "eq", "value": 1}]}})
    server.call("PUT", f"/programs/{made['id']}/friend-page", {"isShared": True, "headline": "€5 for your next bag"})
    return made["id"]


@pytest.fixture
def shop_address(server, program):
    environment = {**os.environ, "KITH_URL": server.base, "KITH_SECRET_KEY": server.secret_key, "KITH_PUBLISHABLE_KEY": server.publishable_key,
                   "KITH_PROGRAM_ID": program}
    process = subprocess.Popen([sys.executable, ROOT / "examples/plain-shop/shop.py", "0"], stdout=subprocess.PIPE, text=True, env=environment)
    # Another site than Kith's: `localhost` is not `127.0.0.1`.
    address = re.search(r"http://\S+", process.stdout.readline()).group().replace("127.0.0.1", "localhost")
    server.call("PUT", "/embedding", {"origins": [address]})
    yield address
    process.terminate()
    process.wait(20)


def buy(page, address, email, code="", bags="2"):
    page.fill("input[name=email]", email)
    page.fill("input[name=code]", code)
    page.fill("input[name=bags]", bags)
    page.click("form button")
    page.locator("#invoice").wait_for(timeout=WAIT_MS)
    assert page.text_content("#told") == "told"
    return page.text_content("#invoice")


def earned(server, email, unit):
    """What stands for a person, held and free, by what the shop calls them."""
    member = "ext:" + hashlib.sha256(email.encode()).hexdigest()[:24]
    balances = server.call("GET", f"/members/{member}/balances")
    return sum(line["pending"] + line["held"] + line["available"] - line.get("debt", 0) for line in balances if line["unit"] == unit)


def test_the_whole_way(server, chromium, shop_address):
    sharer, friend = "amira@people.example", "ben@people.example"
    context = chromium.new_context(user_agent=HUMAN, viewport={"width": 390, "height": 844})
    thrown = []
    page = context.new_page()
    page.on("pageerror", lambda error: thrown.append(str(error)))
    # Amira buys; the shop asks her afterwards, above its page.
    page.goto(shop_address + "/")
    assert page.locator("kith-widget").count() == 0, "nobody is known yet"
    invoice = buy(page, shop_address, sharer)
    frame = page.frame_locator("kith-widget iframe")
    frame.locator("h1").wait_for(timeout=WAIT_MS)
    assert frame.locator("h1").inner_text() == "Give €5.00 credit, get 10%"
    assert "Thank you for your order" in frame.locator(".lead").inner_text()
    page.wait_for_function("parseInt(document.querySelector('kith-widget').shadowRoot.querySelector('iframe').style.blockSize) > 200", timeout=WAIT_MS)
    url, code = frame.locator("#url").get_attribute("href"), frame.locator("#code").inner_text()
    assert url.startswith(f"{server.base}/f/")
    frame.get_by_text("Nobody has come by your link yet.").wait_for(timeout=WAIT_MS)
    page.keyboard.press("Escape")
    assert page.evaluate("document.querySelector('kith-widget').shadowRoot.querySelector('dialog').open") is False
    # Ben comes by the link, from another browser, reads the page and buys with the word.
    other = chromium.new_context(user_agent=HUMAN, viewport={"width": 390, "height": 844})
    friends = other.new_page()
    friends.goto(url)
    assert friends.locator("h1").inner_text() == "€5 for your next bag" and code in friends.locator("main").inner_text()
    friends.click("a.btn.main")
    friends.wait_for_url(re.compile(re.escape(shop_address)), timeout=WAIT_MS)
    order = buy(friends, shop_address, friend, code=code, bags="5")
    assert earned(server, sharer, "EUR") == 600 and earned(server, friend, "credit:EUR") == 500
    # Amira sees it, on the page for it and in the banner.
    page.goto(shop_address + "/friends")
    inline = page.frame_locator("kith-widget iframe")
    inline.get_by_text("One friend bought.").wait_for(timeout=WAIT_MS)
    assert "€6.00" in inline.locator("main").inner_text() and friend not in inline.locator("body").inner_text()
    page.goto(shop_address + "/")
    page.get_by_role("button", name="Tell a friend").click()
    page.frame_locator("kith-widget iframe").locator("#url").wait_for(timeout=WAIT_MS)
    # All of it goes back.
    server.call("POST", "/track/refund", {"invoiceId": order, "refundId": "back-1", "amount": 6000, "reason": "Sent back"})
    assert earned(server, sharer, "EUR") == 0 and earned(server, friend, "credit:EUR") == 0
    assert invoice != order and thrown == []
    other.close()
    context.close()


def test_a_popup_comes_once_and_other_sites_show_nothing(server, chromium, shop_address):
    context = chromium.new_context(user_agent=HUMAN)
    page = context.new_page()
    page.goto(shop_address + "/")
    buy(page, shop_address, "carla@people.example")
    page.frame_locator("kith-widget iframe").locator("h1").wait_for(timeout=WAIT_MS)
    shown = """document.querySelector('kith-widget').shadowRoot.querySelector('dialog').open"""
    assert page.evaluate(shown)
    page.evaluate("""() => { const old = document.querySelector('kith-widget'), again = old.cloneNode(); old.remove(); document.body.append(again) }""")
    assert page.evaluate(shown) is False, "the same order asks once"
    # Whatever the address is, the page stays whole.
    for source in ("javascript:alert(1)", "nonsense", ""):
        assert page.evaluate("""(source) => { const one = document.createElement('kith-widget'); one.setAttribute('src', source); document.body.append(one);
            return new Promise(found => setTimeout(() => found(one.hidden && !one.shadowRoot.querySelector('iframe').src), 100)) }""", source)
    # A site that was not named shows nothing of anybody.
    server.call("PUT", "/embedding", {"origins": ["https://www.shop.example"]})
    told = []
    page.on("console", lambda message: told.append(message.text))
    page.add_init_script("addEventListener('kith-error', event => { window.why = event.detail }, true)")
    page.goto(shop_address + "/friends")
    # No broken frame stands in the shop's page, and whoever built it can read why.
    page.wait_for_function("window.why && document.querySelector('kith-widget').hidden", timeout=WAIT_MS)
    assert "Settings > Domains" in page.evaluate("window.why")
    assert any("frame-ancestors" in text for text in told), told
    context.close()


def test_a_code_takes_something_off_the_first_order_at_once(server, chromium, shop_address, program):
    coupon = server.call("POST", "/coupons", {"programId": program, "name": "First order", "kind": "percent", "rate": "0.10", "usesPerCode": 1_000, "newCustomersOnly": True})
    server.call("PUT", f"/programs/{program}/friend-page", {"isShared": True, "couponId": coupon["id"]})
    sharer = "dora@people.example"
    context = chromium.new_context(user_agent=HUMAN, viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(shop_address + "/")
    buy(page, shop_address, sharer)
    frame = page.frame_locator("kith-widget iframe")
    frame.locator("#code").wait_for(timeout=WAIT_MS)
    code, url = frame.locator("#code").inner_text(), frame.locator("#url").get_attribute("href")
    assert code.endswith("-10"), code
    other = chromium.new_context(user_agent=HUMAN, viewport={"width": 390, "height": 844})
    friends = other.new_page()
    friends.goto(url)
    assert friends.locator("h1").inner_text().startswith("10% off for you") and code in friends.locator("main").inner_text()
    friends.click("a.btn.main")
    friends.wait_for_url(re.compile(re.escape(shop_address)), timeout=WAIT_MS)
    buy(friends, shop_address, "emil@people.example", code=code, bags="5")
    once = earned(server, sharer, "EUR")
    assert once > 0
    report = server.call("GET", f"/programs/{program}/referral-report?months=1")["months"][0]["given"]
    assert [line["count"] for line in report if line["kind"] == "discount"] == [1]
    # It is for first orders: the next one is an order like any other.
    friends.goto(shop_address + "/")
    buy(friends, shop_address, "emil@people.example", code=code, bags="5")
    assert [line["count"] for line in server.call("GET", f"/programs/{program}/referral-report?months=1")["months"][0]["given"] if line["kind"] == "discount"] == [1]
    other.close()
    context.close()


def test_it_is_small_and_does_not_block():
    assert len(gzip.compress(SCRIPT.read_bytes(), 9)) < SIZE_LIMIT_BYTES
    made = subprocess.run(["esbuild", "--minify", "--target=es2022", "--log-level=warning", str(SCRIPT)], capture_output=True, text=True, timeout=60)
    assert made.returncode == 0 and made.stderr == "" and "eval(" not in made.stdout
    assert '/widget.js" async' in (ROOT / "examples/plain-shop/shop.html").read_text()
