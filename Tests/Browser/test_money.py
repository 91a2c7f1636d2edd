"""Money pages: from sign-in to an approved payout file by two people with a second factor, what people change by hand, statements, ledger."""
import base64
import hashlib
import hmac
import json
import re
import subprocess
import time

import pytest

from conftest import BINARY, ROOT, START_SECONDS, sign_in
from inspection import Visit

WAIT_SECONDS = 30
STEP_SECONDS = 30


def code_of(secret, step):
    """RFC 6238, reckoned apart from the server."""
    digest = hmac.new(base64.b32decode(secret + "=" * (-len(secret) % 8)), step.to_bytes(8, "big"), hashlib.sha1).digest()
    offset = digest[-1] & 15
    return f"{(int.from_bytes(digest[offset:offset + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06}"


class Person:
    """Somebody of the team with a phone."""

    def __init__(self, server, name, role):
        self.server, self.email = server, f"{name}@morgenrot.example"
        made = subprocess.run([BINARY, "team", "add", "--database", server.database, "--email", self.email, "--role", role, "--json"],
                              capture_output=True, text=True, timeout=START_SECONDS)
        assert made.returncode == 0, made.stderr
        self.password = json.loads(made.stdout)["password"]
        self.secret, self.used = None, 0

    def code(self):
        """A code that was not used: the phone shows a new one every half minute, and the server takes the next one early."""
        step = int(time.time()) // STEP_SECONDS
        if self.used > step:
            time.sleep((self.used - step) * STEP_SECONDS - time.time() % STEP_SECONDS)
            step = int(time.time()) // STEP_SECONDS
        self.used = max(step, self.used + 1)
        return code_of(self.secret, self.used)

    def sign_in(self, page):
        page.goto(f"{self.server.base}/sign-in")
        sign_in(page, self.email, self.password)
        if self.secret:
            page.fill("#code", self.code())
            page.locator("main button[type=submit]").click()
        page.wait_for_url(f"{self.server.base}/")

    def set_up_phone(self, visit):
        page = visit.page
        visit.open(f"{self.server.base}/account")
        visit.check()
        page.locator("form[action='/account/second-factor'] button").click()
        page.wait_for_url(re.compile("/account/second-factor$"))
        visit.check()
        self.secret = page.locator("[data-secret]").inner_text().replace(" ", "")
        page.fill("#code", self.code())
        page.locator("form[action$=confirmation] button").click()
        page.locator("[data-recovery]").wait_for()
        visit.check(weigh=False)
        return page.locator("[data-recovery]").inner_text().split()


@pytest.fixture(scope="module")
def due(server):
    """A program without hold whose one member has 9.00 approved and an account."""
    program = server.call("POST", "/programs", {
        "name": "Paid by two", "currency": "EUR", "timezone": "Europe/Berlin", "holdDays": 0, "allowedHosts": ["shop.example"],
        "debtor": {"name": "Morgenrot GmbH", "iban": "DE89370400440532013000"}})
    server.call("POST", f"/programs/{program['id']}/rules", {"name": "Sharer", "event": "sale", "reward": {"kind": "percent", "rate": "0.10"}, "for": "member", "level": 0})
    member = server.call("POST", "/members", {"programId": program["id"], "email": "ida@people.example", "name": "Ida Grün"})["id"]
    server.call("POST", "/links", {"programId": program["id"], "memberId": member, "destination": "https://shop.example/", "code": "IDA"})
    server.call("PUT", f"/members/{member}/payout-account", {"kind": "iban", "iban": "AT611904300234573201"})
    sale = server.call("POST", "/track/sale", {"customerExternalId": "buyer-ida", "amount": 9000, "currency": "EUR", "invoiceId": "TWO-1", "code": "IDA"})
    until = time.monotonic() + WAIT_SECONDS
    while not (approved := server.call("GET", f"/commissions?programId={program['id']}&state=approved")["data"]):
        assert time.monotonic() < until, "no commission was approved"
        time.sleep(0.5)
    customer = server.call("GET", f"/sales/{sale['saleId']}")["customerId"]
    return {"program": program["id"], "member": member, "sale": sale["saleId"], "commission": approved[0]["id"], "customer": customer}


def test_two_people_with_phones_pay(server, due, chromium, tmp_path):
    maker, approver = Person(server, "vera", "admin"), Person(server, "otto", "finance")
    with Visit(chromium, 1440, "light") as visit:
        maker.sign_in(visit.page)
        codes = maker.set_up_phone(visit)
        assert len(codes) == 10
        visit.open(f"{server.base}/payouts")
        visit.check()
        visit.page.get_by_role("button", name="Paid by two").click()
        visit.page.wait_for_load_state("load")
        assert "Ida Grün" in visit.page.locator("table").first.inner_text()
        visit.check()
        visit.page.locator("main form button[type=submit]").click()
        visit.page.wait_for_url(re.compile(r"/payouts/pay_"))
        url = visit.page.url
        assert visit.page.locator("form[action$=approval]").count() == 0, "who made it can't approve it"
    with Visit(chromium, 390, "dark") as visit:
        approver.sign_in(visit.page)
        approver.set_up_phone(visit)
    # A new browser: the password alone opens nothing.
    with Visit(chromium, 390, "dark") as visit:
        page = visit.page
        page.goto(f"{server.base}/sign-in")
        sign_in(page, approver.email, approver.password)
        page.locator("#code").wait_for()
        visit.check()
        page.fill("#code", "000000")
        page.locator("main button[type=submit]").click()
        assert page.get_by_role("alert").inner_text().strip()
        visit.complaints.clear()  # Chromium reports the refusal's status
        page.fill("#code", approver.code())
        page.locator("main button[type=submit]").click()
        page.wait_for_url(f"{server.base}/")
        page.goto(f"{server.base}/confirm?next=/payouts")
        visit.check()
        page.fill("#password", approver.password)
        page.fill("#code", approver.code())
        page.locator("main button[type=submit]").click()
        page.wait_for_url(f"{server.base}/payouts")
        visit.open(url)
        page.locator("form[action$=approval] button").click()
        page.wait_for_load_state("load")
        visit.check()
        with page.expect_download() as download:
            page.locator("a[href$='format=pain001']").click()
        file = tmp_path / "payout.xml"
        download.value.save_as(file)
        assert "<IBAN>AT611904300234573201</IBAN>" in file.read_text() and "<CtrlSum>9.00</CtrlSum>" in file.read_text()
        valid = subprocess.run(["xmllint", "--noout", "--nonet", "--schema", ROOT / ".build-data/pain.001.001.09.xsd", file], capture_output=True, text=True)
        assert valid.returncode == 0, valid.stderr
        page.locator("form[action$=dispatch] button").click()
        page.wait_for_load_state("load")
        page.locator("table details summary").last.click()
        page.fill("input[name=reference]", "no answer yet")
        page.locator("button[name=outcome][value=unknown]").click()
        page.wait_for_load_state("load")
        visit.check()
        page.locator("table details summary").last.click()
        page.fill("input[name=reference]", "NTRF-77")
        page.locator("button[name=outcome][value=paid]").click()
        page.wait_for_load_state("load")
        assert page.locator("table .badge.good").count() == 1
    # A lost phone: a recovery code signs in, once.
    with Visit(chromium, 1440, "light") as visit:
        page = visit.page
        for code, opens in ((codes[0], True), (codes[0], False)):
            page.context.clear_cookies()
            page.goto(f"{server.base}/sign-in")
            sign_in(page, maker.email, maker.password)
            page.fill("#code", code)
            page.locator("main button[type=submit]").click()
            page.wait_for_load_state("load")
            assert (page.url == f"{server.base}/") == opens


def test_pay_by_hand(server, due, signed_in, chromium):
    with Visit(chromium, 390, "light", signed_in) as visit:
        page = visit.page
        visit.open(f"{server.base}/commissions/new?program={due['program']}")
        page.fill("#member", "Ida")
        page.fill("#amount", "4,50")
        page.fill("#reason", "Helped at the fair")
        page.locator("main button[type=submit]").click()
        page.wait_for_load_state("load")
        assert "4.50" in page.locator("table").inner_text()
        visit.check()
        page.locator("main form button[type=submit]").dblclick()
        page.wait_for_url(re.compile(r"/commissions/com_"))
        assert "Helped at the fair" in page.locator("main").inner_text()
        visit.check()
    with Visit(chromium, 1440, "dark", signed_in) as visit:
        visit.open(f"{server.base}/commissions")
        assert visit.page.get_by_text("€4.50").count() == 1, "two presses give once"


@pytest.mark.parametrize("path", [
    "/account", "/confirm", "/ledger", "/ledger/transactions", "/ledger/transactions/1", "/ledger/debtors", "/ledger?kind=available", "/commissions/new",
    "/commissions/{commission}", "/sales/{sale}/refund", "/customers/{customer}/assignment", "/members/{member}/statement", "/settings/company", "/payouts"])
def test_page(server, due, signed_in, chromium, path):
    with Visit(chromium, 390, "light", signed_in) as visit:
        assert visit.open(server.base + path.format(**due)).status == 200
        visit.check_in_every_mode()


def test_account_of_a_ledger_and_statement_as_file(server, due, signed_in, chromium, tmp_path):
    with Visit(chromium, 1440, "light", signed_in) as visit:
        page = visit.page
        visit.open(f"{server.base}/ledger")
        page.get_by_role("button", name=re.compile("Reckon")).click()
        page.wait_for_load_state("load")
        assert page.locator(".badge.good").count() >= 1
        page.locator("section[aria-labelledby=accounts] tbody a").first.click()
        page.wait_for_load_state("load")
        visit.check()
        visit.open(f"{server.base}/members/{due['member']}/statement")
        with page.expect_download() as download:
            page.locator("a[href*='statement.pdf']").click()
        file = tmp_path / "statement.pdf"
        download.value.save_as(file)
        text = subprocess.run(["pdftotext", "-layout", file, "-"], capture_output=True, text=True, check=True).stdout
        assert "Ida Grün" in text and "9.00" in text and "Order TWO-1" in text


def test_seeing_a_payout_account(server, due, chromium):
    person = Person(server, "finn", "finance")
    with Visit(chromium, 390, "light") as visit:
        person.sign_in(visit.page)
        visit.open(f"{server.base}/members/{due['member']}/payout-account")
        assert "AT611904300234573201" in visit.page.locator("main").inner_text()
        visit.check()
