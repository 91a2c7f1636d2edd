"""A member writes to a friend, the friend did not want it, and the team hears of it; a partner is invited by name. Each page in every size and theme."""
import os
import re

import pytest

from inspection import Visit
from test_portal import PHONE, join, make_link

# A folder for pictures to look at; none are made without it.
PICTURES = os.environ.get("KITH_PICTURES")


def look(visit, name, **more):
    for mode in visit.in_every_mode():
        visit.check(weigh=False, **more)
        if PICTURES:
            visit.page.screenshot(path=f"{PICTURES}/{name}-{mode.replace(' ', '-')}.png", full_page=True)


@pytest.fixture(scope="module")
def program(server):
    made = server.call("POST", "/programs", {"name": "Friends of coffee", "currency": "EUR", "timezone": "Europe/Berlin", "holdDays": 0, "allowedHosts": ["shop.example"]})["id"]
    server.call("POST", f"/programs/{made}/rules", {"name": "Sharer", "event": "sale", "reward": {"kind": "percent", "rate": "0.10"}, "for": "member", "level": 0})
    server.call("POST", f"/programs/{made}/rules", {"name": "Friend", "event": "sale", "for": "friend", "reward": {"kind": "credit", "amount": 500, "currency": "EUR"}})
    path = server.call("PUT", f"/programs/{made}/join-page", {"isOpen": True, "approval": "automatic", "questions": [{"label": "Telephone"}]})["path"]
    server.call("POST", f"/programs/{made}/terms", {"text": "Say that you earn when somebody buys by your link."})
    return {"id": made, "path": path}


def newest_letter(visit, server, words):
    visit.open(f"{server.base}/dev/mail")
    for address in visit.page.locator("main a[href^='/dev/mail/']").evaluate_all("links => links.map(link => link.href)")[:20]:
        visit.open(address)
        if words in visit.page.locator("main").inner_text():
            return visit.page.locator("main").inner_text(), address
    pytest.fail(f"no letter with {words}")


def test_a_letter_to_a_friend(server, program, chromium, signed_in):
    with Visit(chromium, PHONE, "light", signed_in) as team, Visit(chromium, PHONE, "light") as member, Visit(chromium, PHONE, "light") as friend:
        team.open(f"{server.base}/programs/{program['id']}/friend-page")
        team.page.locator("input[name=isShared][value=yes]").check()
        team.page.locator("input[name=invitations][value=yes]").check()
        team.page.locator("main form button[type=submit]").click()
        team.page.wait_for_load_state("load")
        assert "imprint" in team.page.locator("main").inner_text().lower(), "every letter names who is behind it"
        look(team, "friend-form", status=422)
        team.page.fill("input[name=imprintUrl]", "https://shop.example/imprint")
        team.page.locator("main form button[type=submit]").click()
        team.page.wait_for_url(re.compile("done=saved"))
        team.complaints.clear()

        join(member, server, program, "Amira König", "amira@people.example")
        make_link(member, server, "AMIRA")
        member.open(f"{server.base}/portal/share")
        page = member.page
        page.get_by_label("Mail addresses of friends").fill("ben@friends.example\ncem")
        page.get_by_label("In your own words, if you like").fill("Try the filter roast.")
        page.get_by_label("I know these people").check()
        page.get_by_role("button", name="Send the letters").click()
        page.wait_for_load_state("load")
        assert "“cem” is no mail address" in page.locator("main").inner_text()
        look(member, "share-refused", status=422)
        member.complaints.clear()
        page.get_by_label("Mail addresses of friends").fill("ben@friends.example")
        page.get_by_label("I know these people").check()
        page.get_by_role("button", name="Send the letters").click()
        page.wait_for_url(re.compile("done=invited"))
        look(member, "share-sent")
        assert "One letter" in page.locator("main").inner_text()

        letter, address = newest_letter(friend, server, "ben@friends.example")
        assert "Amira recommends" in letter and "Try the filter roast." in letter and "https://shop.example/imprint" in letter
        friend.open(address + "/html")
        if PICTURES:
            friend.page.screenshot(path=f"{PICTURES}/letter.png", full_page=True)
        friend.open(re.search(r"http\S+/f/\w+", letter).group())
        assert "Amira" in friend.page.locator("main").inner_text()
        friend.page.get_by_role("link", name="You did not want this?").click()
        friend.page.wait_for_load_state("load")
        look(friend, "unwanted-link")

        friend.open(re.search(r"http\S+/unwanted/\S+", letter).group())
        look(friend, "unwanted-letter")
        friend.page.get_by_label("I don’t know who this is from").check()
        friend.page.locator("main button[type=submit]").click()
        friend.page.wait_for_load_state("load")
        assert "sorry" in friend.page.locator("main").inner_text()
        look(friend, "unwanted-done")

        team.open(f"{server.base}/complaints")
        assert "Amira König" in team.page.locator("main").inner_text()
        look(team, "complaints")
        team.page.get_by_role("button", name="Seen").first.click()
        team.page.wait_for_url(re.compile("done=looked"))

        member.open(f"{server.base}/portal/profile")
        page.get_by_label("Friends who buy at a till may name me, and I am found").check()
        page.locator("#findable button[type=submit]").click()
        page.wait_for_url(re.compile("saved=findable"))
        assert server.call("GET", "/members/search?name=amira")["data"][0]["code"] == "AMIRA"
        look(member, "profile-findable")


def test_a_partner_is_invited_by_name(server, program, chromium, signed_in):
    with Visit(chromium, PHONE, "light", signed_in) as team, Visit(chromium, PHONE, "light") as partner:
        desk = team.page
        team.open(f"{server.base}/applications/invitations")
        desk.locator("select[name=program]").select_option(program["id"])
        desk.fill("input[name=name]", "Olga Roth")
        desk.fill("input[name=email]", "olga@partners.example")
        desk.fill("input[name=source]", "fair-2026")
        desk.locator("main form[action='/applications/invitations'] button[type=submit]").click()
        desk.wait_for_url(re.compile("done=invited"))
        look(team, "partners")
        letter, _ = newest_letter(partner, server, "olga@partners.example")
        partner.open(re.search(r"http\S+invitation=\S+", letter).group())
        assert partner.page.locator("#name").input_value() == "Olga Roth" and partner.page.locator("#email").input_value() == "olga@partners.example"
        look(partner, "partner-join")
        server.call("PUT", f"/programs/{program['id']}/join-page", {"isOpen": True, "approval": "byHand", "questions": [{"label": "Telephone"}]})
        for name, email in (("Otto", "otto@mailinator.com"), ("Otto Two", "otto+2@mailinator.com")):
            with Visit(chromium, PHONE, "light") as applicant:
                applicant.open(server.base + program["path"] + "?from=instagram")
                applicant.page.fill("#name", name)
                applicant.page.fill("#email", email)
                applicant.page.fill("#answer0", "+43 660 1234567")
                applicant.page.locator("input[name=terms]").check()
                applicant.page.locator("main button[type=submit]").click()
                applicant.page.wait_for_load_state("load")
                text, _ = newest_letter(applicant, server, email)
                applicant.open(re.search(r"http://\S+token=[\w-]+", text).group())
                applicant.page.locator("main button[type=submit]").click()
                applicant.page.wait_for_load_state("load")
        team.open(f"{server.base}/applications")
        said = desk.locator("main").inner_text()
        assert "gave this telephone number" in said and "mailinator.com" in said and "instagram" in said
        look(team, "applications")
        team.open(f"{server.base}/applications/sources")
        assert "instagram" in desk.locator("main").inner_text()
        look(team, "sources")
