"""A member on a phone: joining, the first earnings and asking to be paid; weight, themes, keyboard, thumbs, no scripts."""
import re

import pytest

from conftest import WIDTHS
from inspection import Visit, walk_by_keyboard

PHONE = 390
PORTAL_WEIGHT_LIMIT_BYTES = 150_000
PAGES = {"today": "/portal", "share": "/portal/share", "earnings": "/portal/earnings", "profile": "/portal/profile",
         "statements": "/portal/statements", "rewards": "/portal/rewards", "statement": "/portal/statement", "figure": "/portal/balance/available?unit=EUR"}
TERMS = "Say that you earn when somebody buys by your link."


@pytest.fixture(scope="module")
def club(server):
    """A program with a public page: a question, terms, and whoever shows their address is in."""
    program = server.call("POST", "/programs", {"name": "Coffee club", "currency": "EUR", "timezone": "Europe/Berlin", "holdDays": 0,
                                                "allowedHosts": ["shop.example"]})
    server.call("POST", f"/programs/{program['id']}/rules",
                {"name": "Sharer", "event": "sale", "reward": {"kind": "percent", "rate": "0.10"}, "for": "member", "level": 0})
    server.call("POST", f"/programs/{program['id']}/terms", {"text": TERMS})
    page = server.call("PUT", f"/programs/{program['id']}/join-page", {
        "isOpen": True, "approval": "automatic", "questions": [{"label": "Where will you share?", "isRequired": True}]})
    return {"program": program, "path": page["path"]}


@pytest.fixture(scope="module")
def member(server, club, chromium):
    """Cookies of a member who joined by the page, made a link, and brought sales."""
    with Visit(chromium, PHONE, "light") as visit:
        join(visit, server, club, "Nadia Roth", "nadia@people.example")
        code = make_link(visit, server, "NADIA")
        click = server.follow(code)
        for number, amount in enumerate((8600, 6200), 1):
            server.call("POST", "/track/sale", {"customerExternalId": f"guest-{number}", "customerName": "Piet Secret", "amount": amount,
                                                "currency": "EUR", "invoiceId": f"CC-{number}", "clickId": click})
        server.call("POST", "/track/refund", {"invoiceId": "CC-2", "refundId": "cc_r1", "amount": 2400})
        return visit.context.storage_state()


def join(visit, server, club, name, email, via=""):
    page = visit.page
    visit.open(server.base + club["path"] + via)
    page.get_by_label("name", exact=False).first.fill(name)
    page.locator("input[type=email]").fill(email)
    page.locator("#answer0").fill("On my blog")
    page.locator("input[name=terms]").check()
    page.locator("main button[type=submit]").click()
    page.wait_for_load_state("load")
    visit.open(letter(visit, server, email))
    page.locator("main button[type=submit]").click()
    page.wait_for_url(f"{server.base}/portal")


def letter(visit, server, email):
    """The address behind the button of the newest letter to somebody, as /dev/mail shows it."""
    page = visit.page
    visit.open(f"{server.base}/dev/mail")
    for address in page.locator("main a[href^='/dev/mail/']").evaluate_all("links => links.map(link => link.href)")[:10]:
        visit.open(address)
        text = page.locator("main").inner_text()
        found = re.search(r"http://\S+token=[\w-]+", text)
        if email in text and found:
            return found.group()
    pytest.fail(f"no letter to {email}")


def make_link(visit, server, code):
    page = visit.page
    visit.open(f"{server.base}/portal/share")
    page.fill("#code", code)
    page.locator("form[action='/portal/links'] button[type=submit]").click()
    page.wait_for_load_state("load")
    assert code in page.locator("main").inner_text()
    return code


def test_from_the_join_page_to_the_first_earnings(server, club, chromium):
    with Visit(chromium, PHONE, "light") as visit:
        page = visit.page
        visit.open(server.base + club["path"])
        visit.check()
        page.locator("main button[type=submit]").click()  # nothing filled in: the browser itself asks for it
        assert page.url == server.base + club["path"]
        join(visit, server, club, "Otto Lind", "otto@people.example")
        visit.check()
        click = server.follow(make_link(visit, server, "OTTO"))
        server.call("POST", "/track/sale", {"customerExternalId": "otto-guest", "customerName": "Piet Secret", "amount": 9900, "currency": "EUR",
                                            "invoiceId": "CC-otto", "clickId": click})
        visit.open(f"{server.base}/portal/earnings")
        page.reload()
        assert "€9.90" in page.locator("main").inner_text()
        page.locator("#lines .lines a").first.click()
        page.wait_for_load_state("load")
        receipt = page.locator("main").inner_text()
        assert "€9.90" in receipt and "10" in receipt and "Piet" not in receipt and "CC-otto" not in receipt
        visit.check(weigh=False)


def test_whom_the_team_lets_in_comes_by_the_letter(server, club, chromium, signed_in):
    """The walk of most programs, on a phone: join, show the address, be let in, sign in by the letter, share, earn, see why."""
    program = server.call("POST", "/programs", {"name": "Tea club", "currency": "EUR", "timezone": "Europe/Berlin", "holdDays": 0,
                                                "allowedHosts": ["shop.example"]})
    server.call("POST", f"/programs/{program['id']}/rules",
                {"name": "Sharer", "event": "sale", "reward": {"kind": "percent", "rate": "0.10"}, "for": "member", "level": 0})
    with Visit(chromium, PHONE, "light", signed_in) as team, Visit(chromium, PHONE, "light") as visit:
        # The team writes the page, looks at it before it opens, and opens it.
        desk, page = team.page, visit.page
        team.open(f"{server.base}/programs/{program['id']}/join-page")
        desk.fill("textarea[name=welcome]", "Good that you are here.")
        desk.fill("input[name=question0]", "Where will you share?")
        desk.locator("form[action$='/join-page'] button[type=submit]").click()
        desk.wait_for_load_state("load")
        desk.get_by_role("link", name="See it before it opens").click()
        desk.wait_for_load_state("load")
        path = desk.url.removeprefix(server.base)
        assert "Good that you are here." in desk.locator("main").inner_text()
        assert visit.open(server.base + path).status == 404
        visit.complaints.clear()
        desk.go_back()
        desk.locator("input[name=open]").check()
        desk.locator("form[action$='/join-page'] button[type=submit]").click()
        desk.wait_for_load_state("load")
        desk.fill("textarea[name=text]", TERMS)
        desk.locator("form[action$='/terms'] button[type=submit]").click()
        desk.wait_for_load_state("load")

        visit.open(server.base + path)
        page.locator("#name").fill("Tilda Berg")
        page.locator("input[type=email]").fill("tilda@people.example")
        page.locator("#answer0").fill("At school")
        page.locator("input[name=terms]").check()
        page.locator("main button[type=submit]").click()
        page.wait_for_load_state("load")
        visit.open(letter(visit, server, "tilda@people.example"))
        page.locator("main button[type=submit]").click()
        page.wait_for_load_state("load")
        assert visit.open(f"{server.base}/portal").url.endswith("/portal/sign-in"), "not in before somebody decided"

        team.open(f"{server.base}/")
        desk.locator("main a[href='/applications']").click()
        desk.wait_for_load_state("load")
        assert "tilda@people.example" in desk.locator("main").inner_text() and "At school" in desk.locator("main").inner_text()
        desk.locator("form[action$='/approval'] button").click()
        desk.wait_for_load_state("load")
        team.check(weigh=False)

        way_in = letter(visit, server, "tilda@people.example")
        assert "/portal/enter" in way_in
        visit.open(way_in)
        page.locator("main button[type=submit]").click()
        page.wait_for_url(f"{server.base}/portal")
        click = server.follow(make_link(visit, server, "TILDA"))
        server.call("POST", "/track/sale", {"customerExternalId": "tilda-guest", "customerName": "Piet Secret", "amount": 5000, "currency": "EUR",
                                            "invoiceId": "TC-1", "clickId": click})
        visit.open(f"{server.base}/portal/earnings")
        assert "€5.00" in page.locator("main").inner_text()
        page.locator("dl.split a", has_text="€5.00").click()
        page.wait_for_load_state("load")
        assert "/portal/balance/" in page.url
        page.locator("ul.lines a").first.click()
        page.wait_for_load_state("load")
        receipt = page.locator("main").inner_text()
        assert "€5.00" in receipt and "Your link TILDA" in receipt and "Piet" not in receipt and "TC-1" not in receipt
        visit.check(weigh=False)


@pytest.mark.parametrize("name", PAGES)
def test_portal_page(server, member, chromium, name):
    with Visit(chromium, PHONE, "light", member) as visit:
        assert visit.open(server.base + PAGES[name]).status == 200
        assert visit.page.url == server.base + PAGES[name]
        visit.check_in_every_mode()
        assert visit.weight_bytes < PORTAL_WEIGHT_LIMIT_BYTES, f"{visit.weight_bytes} bytes came over the wire"


@pytest.mark.parametrize("path,status", [("join", 200), ("/portal/sign-in", 200), ("/portal/enter?token=used", 410)])
def test_page_without_sign_in(server, club, chromium, path, status):
    with Visit(chromium, PHONE, "light") as visit:
        assert visit.open(server.base + (club["path"] if path == "join" else path)).status == status
        visit.check_in_every_mode(status=status)
        assert visit.weight_bytes < PORTAL_WEIGHT_LIMIT_BYTES


@pytest.mark.parametrize("width", WIDTHS)
def test_receipt(server, member, chromium, width):
    with Visit(chromium, width, "light", member) as visit:
        visit.open(f"{server.base}/portal/earnings")
        visit.page.locator("#lines .lines a").first.click()
        visit.page.wait_for_load_state("load")
        visit.check_in_every_mode(weigh=False)


@pytest.mark.parametrize("name", PAGES)
def test_keyboard(server, member, chromium, name):
    with Visit(chromium, PHONE, "light", member) as visit:
        visit.open(server.base + PAGES[name])
        walk_by_keyboard(visit.page)


@pytest.mark.parametrize("name", PAGES)
def test_targets_fit_a_thumb(server, member, chromium, name):
    with Visit(chromium, PHONE, "light", member) as visit:
        visit.open(server.base + PAGES[name])
        small = visit.page.evaluate("""() => [...document.querySelectorAll("main .btn, main summary, nav.tabs a, main .need a, main dl a, main select, main input:not([type=hidden]):not([type=checkbox]):not([type=radio])")]
            .filter(found => found.checkVisibility() && found.getBoundingClientRect().height < 44).map(found => found.outerHTML.slice(0, 100))""")
        assert not small, small


def test_everything_works_without_scripts(server, member, chromium):
    context = chromium.new_context(viewport={"width": PHONE, "height": 844}, java_script_enabled=False, storage_state=member)
    page = context.new_page()
    page.goto(f"{server.base}/portal/share")
    assert page.locator("main a[href*='/r/NADIA']").count() + page.locator("main input[value*='/r/NADIA']").count() >= 1
    assert page.locator("a[href^='https://wa.me/']").count() >= 1 and page.locator("a[href^='mailto:']").count() >= 1
    page.goto(f"{server.base}/portal/profile")
    page.fill("#name", "Nadia R.")
    page.locator("form[action='/portal/profile'] button").click()
    assert page.locator("#name").input_value() == "Nadia R."
    context.close()


def test_a_payout_is_asked_for_and_taken_back(server, member, chromium):
    with Visit(chromium, PHONE, "dark", member) as visit:
        page = visit.page
        visit.open(f"{server.base}/portal/profile")
        if not page.locator("#holder").is_visible():  # it stands open while there is no account
            page.locator("#account summary").click()
        page.fill("#holder", "Nadia Roth")
        page.fill("#iban", "DE00 3704 0044 0532 0130 00")
        page.locator("form[action='/portal/account'] button").click()
        page.wait_for_load_state("load")
        assert page.locator("#iban-error").is_visible(), "a wrong IBAN is named beside its field"
        page.fill("#iban", "DE89 3704 0044 0532 0130 00")
        page.locator("form[action='/portal/account'] button").click()
        page.wait_for_load_state("load")
        visit.open(f"{server.base}/portal/earnings")
        ask = page.locator("form[action='/portal/payout-requests'] button")
        assert "€12.40" in ask.inner_text()
        ask.click()
        page.wait_for_load_state("load")
        page.locator("form[action$='/cancellation'] button").click()
        page.wait_for_load_state("load")
        assert page.locator("form[action='/portal/payout-requests'] button").count() == 1
