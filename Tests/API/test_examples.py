"""The shops of examples/, used as their buyers use them."""
import os
import re
import subprocess
import sys

import pytest
from playwright.sync_api import sync_playwright

from serving import HUMAN, ROOT

BUILD_SECONDS, RUN_SECONDS = 900, 120


@pytest.fixture
def plain_shop(server, shop):
    environment = {**os.environ, "KITH_URL": server.base, "KITH_SECRET_KEY": server.secret_key, "KITH_PUBLISHABLE_KEY": server.publishable_key}
    process = subprocess.Popen([sys.executable, ROOT / "examples/plain-shop/shop.py", "0"], stdout=subprocess.PIPE, text=True, env=environment)
    yield re.search(r"http://\S+", process.stdout.readline()).group()
    process.terminate()
    process.wait(20)


def test_a_friend_buys_in_the_plain_shop(server, shop, plain_shop):
    before = {sale["invoiceId"] for sale in server.call("GET", "/sales?limit=100")["data"]}
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page(user_agent=HUMAN)  # a headless browser's clicks are logged and not counted
        page.goto(f"{plain_shop}/?via=AMIRA")
        page.evaluate("() => new Promise(found => kith('clickId', found))")
        page.fill("input[name=email]", "piet@buyers.example")
        page.fill("input[name=bags]", "3")
        page.click("button")
        invoice = page.text_content("#invoice")
        assert page.text_content("#told") == "told"
        browser.close()
    sale = next(sale for sale in server.call("GET", "/sales?limit=100")["data"] if sale["invoiceId"] == invoice)
    assert invoice not in before and sale["amount"] == 3600
    lines = server.call("GET", f"/sales/{sale['id']}/receipt")["lines"]
    assert {(line["memberId"], line["amount"]) for line in lines} == {(shop["people"][2], 360), (shop["people"][1], 108)}


@pytest.fixture(scope="module")
def till():
    folder = ROOT / "examples/swift-shop"
    made = subprocess.run(["swift", "build", "--package-path", folder], capture_output=True, text=True, timeout=BUILD_SECONDS)
    assert made.returncode == 0, made.stdout[-3000:] + made.stderr[-3000:]
    return folder / ".build/debug/SwiftShop"


def sell(till, folder, server, *words, url=None):
    done = subprocess.run([till, *words], capture_output=True, text=True, timeout=RUN_SECONDS, env={
        **os.environ, "KITH_URL": url or server.base, "KITH_SECRET_KEY": server.secret_key, "SHOP_FOLDER": str(folder / "queue")})
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_swift_shop_sells(server, shop, till, tmp_path):
    assert "told 1, nothing waits" in sell(till, tmp_path, server, "SW-1", "anna", "4200", "AMIRA")
    sale = next(sale for sale in server.call("GET", "/sales?limit=100")["data"] if sale["invoiceId"] == "SW-1")
    assert sale["amount"] == 4200
    assert {line["amount"] for line in server.call("GET", f"/sales/{sale['id']}/receipt")["lines"]} == {420, 126}


def test_what_it_sells_without_a_network_is_told_later_and_once(server, shop, till, tmp_path):
    for number in (1, 2):
        assert f"told 0, {number} wait" in sell(till, tmp_path, server, f"OFF-{number}", "anna", "1000", "AMIRA", url="http://127.0.0.1:9")
    assert "told 2, nothing waits" in sell(till, tmp_path, server)
    assert "told 0, nothing waits" in sell(till, tmp_path, server)
    invoices = [sale["invoiceId"] for sale in server.call("GET", "/sales?limit=100")["data"]]
    assert sorted(invoice for invoice in invoices if invoice.startswith("OFF")) == ["OFF-1", "OFF-2"]
