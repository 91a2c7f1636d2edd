"""Refer a friend, in Chromium and a plain HTML shop: Anna shares, her friend is greeted, buys, both are rewarded, goods go back, both are adjusted."""
import os
import re
import subprocess
import sys
import urllib.parse

import pytest

import everything
from conftest import HUMAN, ROOT, WIDTHS

SHOP_SECONDS = 30


@pytest.fixture(scope="module")
def shop(server):
    """The plain shop of examples/, on a port of its own."""
    environment = {**os.environ, "KITH_URL": server.base, "KITH_SECRET_KEY": server.secret_key, "KITH_PUBLISHABLE_KEY": server.publishable_key}
    process = subprocess.Popen([sys.executable, ROOT / "examples/plain-shop/shop.py", "0"], stdout=subprocess.PIPE, text=True, env=environment)
    yield re.search(r"http://\S+", process.stdout.readline()).group()
    process.terminate()
    process.wait(SHOP_SECONDS)


@pytest.fixture(scope="module")
def club(server, shop):
    """A program that gives both sides something, with its own page."""
    host = urllib.parse.urlsplit(shop).netloc
    program = server.call("POST", "/programs", {"name": "Coffee club", "currency": "EUR", "timezone": "Europe/Berlin", "holdDays": 0, "allowedHosts": [host.split(":")[0], host]})["id"]
    first = {"field": "saleNumber", "op": "eq", "value": 1}
    server.call("POST", f"/programs/{program}/rules", {"name": "Sharer", "event": "sale", "reward": {"kind": "flat", "amount": 500, "currency": "EUR"}, "conditions": first})
    server.call("POST", f"/programs/{program}/rules", {"name": "Friend", "event": "sale", "for": "friend", "reward": {"kind": "credit", "amount": 300, "currency": "EUR"}, "conditions": first})
    server.call("PUT", f"/programs/{program}/friend-page", {"isShared": True, "lead": "Roasted on Monday, at your door on Wednesday."})
    anna = server.call("POST", "/members", {"programId": program, "email": "anna@members.example", "name": "Anna Beck"})["id"]
    server.call("POST", "/links", {"programId": program, "memberId": anna, "destination": shop + "/", "code": "ANNA"})
    return {"program": program, "anna": anna}


def balance(server, member, unit):
    for part in server.call("GET", f"/members/{member}/balances"):
        if part["unit"] == unit:
            return {name: part[name] for name in ("pending", "available", "debt")}
    return {"pending": 0, "available": 0, "debt": 0}


def total(amounts):
    return amounts["pending"] + amounts["available"] - amounts["debt"]


def test_the_whole_way(server, shop, club, chromium):
    anna = everything.portal_context(chromium, server, "anna@members.example")
    page = anna.new_page()
    page.goto(server.base + "/portal/share")
    address = page.locator(".copyline a").get_attribute("href")
    assert address.endswith("/f/ANNA")
    page.locator("textarea[name=words]").fill("It is the first thing I do every morning.")
    page.get_by_role("button", name="Save").click()
    assert page.get_by_text("Friends see it from now on").is_visible()

    friend = chromium.new_context(user_agent=HUMAN, viewport={"width": 390, "height": 844}, locale="en-GB").new_page()
    friend.goto(address)
    greeting = friend.locator("main").inner_text()
    for words in ("It is the first thing I do every morning.", "Anna recommends Morgenrot to you.", "€3.00 credit for you at Morgenrot", "If you buy, Anna gets €5.00."):
        assert words in greeting, words
    friend.get_by_role("link", name="Take my").click()
    friend.wait_for_url(shop + "/**")
    friend.get_by_label("Your mail").fill("ben@friends.example")
    friend.get_by_role("button", name="Buy").click()
    invoice = friend.locator("#invoice").inner_text()
    sale = server.call("GET", f"/sales?invoiceId={invoice}")["data"][0]
    everything.wait(lambda: total(balance(server, club["anna"], "EUR")) == 500, "Anna is rewarded")
    receipt = server.call("GET", f"/sales/{sale['id']}/receipt")
    ben = next(line["memberId"] for line in receipt["commissions"] if line["memberId"] != club["anna"])
    assert total(balance(server, ben, "credit:EUR")) == 300, "the friend is rewarded"

    server.call("POST", "/track/refund", {"invoiceId": invoice, "refundId": f"back-{invoice}"})
    assert total(balance(server, club["anna"], "EUR")) == 0 and total(balance(server, ben, "credit:EUR")) == 0, "both are adjusted"


def test_by_the_word_alone(server, shop, club, chromium):
    """Somebody who was told the word at the table types it into the shop."""
    friend = chromium.new_context(user_agent=HUMAN).new_page()
    friend.goto(shop)
    friend.get_by_label("Your mail").fill("cem@friends.example")
    friend.get_by_label("Code of a friend").fill("anna")
    friend.get_by_role("button", name="Buy").click()
    invoice = friend.locator("#invoice").inner_text()
    assert friend.locator("#told").text_content() == "told"
    sale = server.call("GET", f"/sales?invoiceId={invoice}")["data"][0]
    assert server.call("GET", f"/sales/{sale['id']}/receipt")["commissions"]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_light_and_stands_without_scripts(server, club, chromium, width, scheme):
    context = chromium.new_context(viewport={"width": width, "height": 844}, color_scheme=scheme, java_script_enabled=False)
    page = context.new_page()
    sizes = []
    page.on("response", lambda answer: sizes.append(int(answer.header_value("content-length") or 0)) if "/assets/" in answer.url or "/brand/" in answer.url else None)
    answer = page.goto(server.base + "/f/ANNA")
    whole = len(answer.body()) + sum(sizes)
    assert whole < 60_000, whole
    assert page.locator("h1").count() == 1 and page.locator("a.btn").count() == 1
    box = page.locator("a.btn").bounding_box()
    assert box["y"] + box["height"] < 844, "the button is seen without scrolling"
    context.close()


def test_what_is_shared_has_a_picture(server, club, chromium):
    page = chromium.new_context().new_page()
    page.goto(server.base + "/f/ANNA")
    meta = {m.get_attribute("property"): m.get_attribute("content") for m in page.locator("meta[property]").all()}
    assert "Anna" in meta["og:title"] and meta["og:image"].endswith("/f/ANNA/picture.png") and meta["og:url"].endswith("/f/ANNA")
    picture = page.request.get(meta["og:image"])
    assert picture.ok and picture.body()[:8] == b"\x89PNG\r\n\x1a\n"
    assert re.fullmatch(r"image/png", picture.headers["content-type"])
