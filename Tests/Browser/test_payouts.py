"""Money leaves when two people agree: from what is due to what the bank says, by page."""
import re
import subprocess
import time

import pytest

from conftest import BINARY, START_SECONDS, sign_in
from inspection import Visit

WAIT_SECONDS = 30


@pytest.fixture(scope="module")
def due(server):
    """A program without hold: one member with an account and 8.00 approved, one without an account."""
    program = server.call("POST", "/programs", {"name": "Paid at once", "currency": "EUR", "timezone": "Europe/Berlin", "holdDays": 0, "allowedHosts": ["shop.example"]})
    server.call("POST", f"/programs/{program['id']}/rules", {"name": "Sharer", "event": "sale", "reward": {"kind": "percent", "rate": "0.10"}, "for": "member", "level": 0})
    for name, code in (("Paula Ried", "PAULA"), ("Nils Ohne", "NILS")):
        member = server.call("POST", "/members", {"programId": program["id"], "email": f"{code.lower()}@people.example", "name": name})["id"]
        server.call("POST", "/links", {"programId": program["id"], "memberId": member, "destination": "https://shop.example/", "code": code})
        if code == "PAULA":
            server.call("PUT", f"/members/{member}/payout-account", {"kind": "iban", "iban": "DE89370400440532013000"})
        server.call("POST", "/track/sale", {"customerExternalId": f"buyer-{code}", "amount": 8000, "currency": "EUR", "invoiceId": f"PAY-{code}", "code": code})
    until = time.monotonic() + WAIT_SECONDS
    while len(server.call("GET", f"/commissions?programId={program['id']}&state=approved")["data"]) < 2:
        assert time.monotonic() < until, "no commission was approved"
        time.sleep(0.5)
    return program


@pytest.fixture(scope="module")
def second_person(chromium, server):
    """Cookies of somebody else with the role finance."""
    made = subprocess.run([BINARY, "team", "add", "--database", server.database, "--email", "jon@morgenrot.example", "--role", "finance", "--json"],
                          capture_output=True, text=True, timeout=START_SECONDS)
    assert made.returncode == 0, made.stderr
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{server.base}/sign-in")
    sign_in(page, "jon@morgenrot.example", re.search(r'"password"\s*:\s*"([^"]+)"', made.stdout).group(1))
    page.wait_for_url(f"{server.base}/")
    state = context.storage_state()
    context.close()
    return state


def test_two_people_pay(server, due, signed_in, second_person, chromium):
    with Visit(chromium, 1440, "light", signed_in) as maker:
        page = maker.page
        maker.open(f"{server.base}/payouts")
        maker.check()
        page.get_by_role("button", name="Paid at once").click()
        page.wait_for_load_state("load")
        assert "Paula Ried" in page.locator("table").first.inner_text()
        assert "Nils Ohne" in page.locator("table").last.inner_text(), "who is not paid is named with the reason"
        maker.check()
        page.locator("main form button[type=submit]").click()
        page.wait_for_url(re.compile(r"/payouts/pay_"))
        url = page.url
        assert page.locator("form[action$=approval]").count() == 0, "the maker can't approve"
        assert page.locator("form[action$=cancellation]").is_visible()
        maker.check()
    with Visit(chromium, 390, "dark", second_person) as approver:
        page = approver.page
        approver.open(url)
        page.locator("form[action$=approval] button").click()
        page.wait_for_load_state("load")
        approver.check()
        with page.expect_download() as download:
            page.locator("a[href$='format=csv']").click()
        assert "DE89370400440532013000" in open(download.value.path()).read()
    with Visit(chromium, 390, "light", signed_in) as maker:
        page = maker.page
        maker.open(url)
        page.locator("form[action$=dispatch] button").click()
        page.wait_for_load_state("load")
        page.locator("table details summary").last.click()
        page.fill("input[name=reference]", "NTRF-1")
        maker.check()
        page.locator("button[name=outcome][value=paid]").click()
        page.wait_for_load_state("load")
        assert page.locator("table .badge.good").count() == 1
        left = page.locator("button[name=outcome]").evaluate_all("found => found.map(button => button.value)")
        assert left == ["returned"], "a record stays; what was paid can only come back"
        maker.check()


def test_payouts_page(server, due, signed_in, chromium):
    with Visit(chromium, 390, "light", signed_in) as visit:
        assert visit.open(f"{server.base}/payouts").status == 200
        visit.check_in_every_mode()
