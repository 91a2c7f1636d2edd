"""A member on a phone: from the join page to the first earnings, and what they see then."""
import os
import pathlib
import re

import pytest

from conftest import MODES
from inspection import Visit, walk_by_keyboard

PORTAL_WEIGHT_LIMIT_BYTES = 150_000
PAGES = ["", "/share", "/earnings", "/profile"]


@pytest.fixture(scope="module")
def open_program(server):
    """A program whose join page is open, with terms, a question, and somebody who invites."""
    program = server.call("POST", "/programs", {"name": "Friends who share", "currency": "EUR", "timezone": "Europe/Berlin", "holdDays": 0,
                                                "minimumPayout": 500, "allowedHosts": ["shop.example"]})
    server.call("POST", f"/programs/{program['id']}/rules", {"name": "Sharer", "event": "sale", "reward": {"kind": "percent", "rate": "0.10"}, "for": "member", "level": 0})
    page = server.call("PUT", f"/programs/{program['id']}/join-page", {
        "isOpen": True, "approval": "automatic",
        "questions": [{"label": "Where do you share?", "isRequired": True}, {"label": "How often?", "choices": ["Daily", "Weekly"]}]})
    server.call("POST", f"/programs/{program['id']}/terms", {"text": "You are kind.\n\nYou say that it is advertisement."})
    lena = server.call("POST", "/members", {"programId": program["id"], "email": "lena@friends.example", "name": "Lena Moor"})["id"]
    server.call("POST", "/links", {"programId": program["id"], "memberId": lena, "destination": "https://shop.example/", "code": "lena-friends"})
    return {"id": program["id"], "path": page["path"]}


@pytest.fixture(scope="module")
def member(chromium, server, open_program):
    """Cookies of somebody who joined by the page, made a link, and earned."""
    with Visit(chromium, 390, "light") as phone:
        page = phone.page
        phone.open(f"{server.base}{open_program['path']}?via=lena-friends")
        phone.check()
        assert "Lena Moor invites you" in page.inner_text("main")
        picture(page, "join")
        page.fill("#name", "Nadia Sommer")
        page.fill("#email", "nadia@friends.example")
        page.fill("#answer0", "At the market")
        page.select_option("#answer1", "Weekly")
        page.check("input[name=terms]")
        page.click("main button[type=submit]")
        phone.check()
        assert "nadia@friends.example" in page.inner_text("main")
        page.goto(letter(page, server, "Is this your address?"))
        phone.check()
        page.click("main button[type=submit]")
        page.wait_for_url(f"{server.base}/portal")
        assert "Nadia Sommer" in page.inner_text("h1")
        page.click("nav.tabs a[href='/portal/share']")
        page.fill("#code", "nadia")
        page.click("main form button[type=submit]")
        page.locator(".copyline a", has_text="nadia").wait_for()
        click = server.follow("nadia")
        server.call("POST", "/track/sale", {"clickId": click, "customerExternalId": "otto", "amount": 9400, "currency": "EUR", "invoiceId": "N-1"})
        state = phone.context.storage_state()
    return state


def letter(page, server, subject):
    """The address of a letter's button."""
    page.goto(f"{server.base}/dev/mail")
    page.click(f"main a:has-text('{subject}')")
    return re.search(r"https?://\S+token=\S+", page.inner_text("main")).group()


def picture(page, name):
    folder = os.environ.get("KITH_PICTURES")
    if folder:
        pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


@pytest.mark.parametrize("width,scheme", MODES)
@pytest.mark.parametrize("path", PAGES)
def test_every_page(chromium, server, member, path, width, scheme):
    with Visit(chromium, width, scheme, member) as phone:
        phone.open(f"{server.base}/portal{path}")
        phone.check()
        assert phone.weight_bytes < PORTAL_WEIGHT_LIMIT_BYTES
        picture(phone.page, f"portal{path.replace('/', '-')}-{width}-{scheme}")


def test_a_line_opens_its_receipt(chromium, server, member):
    with Visit(chromium, 390, "dark", member) as phone:
        phone.open(f"{server.base}/portal/earnings")
        assert "€9.40" in phone.page.inner_text("main")
        phone.page.click(".lines a")
        phone.page.wait_for_load_state("load")
        phone.check()
        text = phone.page.inner_text("main")
        assert "€94.00" in text and "10%" in text and "€9.40" in text
        assert "otto" not in text, "the buyer stays unnamed"
        picture(phone.page, "portal-receipt-390-dark")


def test_what_is_refused_says_why(chromium, server, member, open_program):
    with Visit(chromium, 390, "light", member) as phone:
        page = phone.page
        phone.open(f"{server.base}/portal/profile#account")
        page.fill("#holder", "Nadia Sommer")
        page.fill("#iban", "DE00 1234")
        page.click("#account button[type=submit]")
        phone.check(status=422)
        assert page.locator("#iban-error").is_visible()
        assert page.input_value("#holder") == "Nadia Sommer", "what was written stays"
    with Visit(chromium, 390, "light", member) as phone:
        phone.open(f"{server.base}/portal/earnings/com_00000000000000000000000000")
        phone.check(status=404)
    with Visit(chromium, 390, "light") as stranger:
        stranger.open(f"{server.base}/portal/enter?token=nothing")
        stranger.check(status=410)
    with Visit(chromium, 390, "light") as stranger:
        stranger.open(f"{server.base}/portal")
        stranger.check()
        assert stranger.page.url.endswith("/portal/sign-in")
        picture(stranger.page, "portal-sign-in")


def test_by_keyboard(chromium, server, member):
    with Visit(chromium, 390, "light", member) as phone:
        phone.open(f"{server.base}/portal/share")
        walk_by_keyboard(phone.page, stops=12)


def test_without_scripts(chromium, server, member):
    context = chromium.new_context(viewport={"width": 390, "height": 844}, java_script_enabled=False, storage_state=member)
    page = context.new_page()
    page.goto(f"{server.base}/portal/share")
    assert page.locator("[data-copy]").is_hidden(), "a button that would do nothing is not shown"
    assert page.get_by_role("link", name="WhatsApp").get_attribute("href").startswith("https://wa.me/?text=")
    page.goto(f"{server.base}/portal/profile")
    page.fill("#name", "Nadia S.")
    page.click("text=Save >> nth=0")
    assert "saved=profile" in page.url
    context.close()
