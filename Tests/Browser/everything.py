"""A server on which everything has happened once, and a walk over all of its pages by the links that people have."""
import datetime
import json
import re
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

from conftest import BINARY, ROOT, sign_in

STEP_SECONDS = 60
# Of each page so many addresses are looked at: other filters, other people, other states.
ADDRESSES_OF_A_PAGE_MAX = 6
ADDRESSES_MAX = 2_000
# What a browser saves or draws, but does not show as a page.
NO_PAGE = re.compile(r"\.(csv|svg|png|pdf|json|js|css|ics)$|/export$|/file$|/progress$")
PLAN = """
plan: three-levels
unit: EUR
ranks:
  - rank: bronze
    condition: {metric: groupVolume, atLeastMinor: 50000}
bonuses:
  - bonus: level
    type: unilevel
    rates: [10%, 5%, 4%]
    compression: {mode: removeInactive, keeps: active}
"""


def fill(server):
    """The demo, and what it lacks: a batch that two people made, a plan with an accepted run, duplicates, applicants, letters, a second person."""
    subprocess.run([BINARY, "demo", "--database", server.database], check=True, capture_output=True, timeout=STEP_SECONDS * 4)
    made = subprocess.run([BINARY, "team", "add", "--database", server.database, "--email", "jon@morgenrot.example", "--role", "finance", "--json"],
                          check=True, capture_output=True, text=True, timeout=STEP_SECONDS)
    second = json.loads(made.stdout)["secretKey"]
    webhook = server.call("POST", "/webhooks", {"url": "https://hooks.example/kith", "events": ["sale.created", "payout.paid"]})["id"]
    server.call("POST", f"/webhooks/{webhook}/test", {})
    invitation = server.call("POST", "/team", {"email": "nora@morgenrot.example", "role": "support"})["invitationUrl"]
    program = server.call("POST", "/programs", {
        "name": "Coffee club", "currency": "EUR", "timezone": "Europe/Berlin", "holdDays": 0, "allowedHosts": ["shop.example"],
        "debtor": {"name": "Morgenrot GmbH", "iban": "DE89370400440532013000"}})["id"]
    server.call("POST", f"/programs/{program}/rules",
                {"name": "Sharer", "event": "sale", "reward": {"kind": "percent", "rate": "0.10"}, "for": "member", "level": 0})
    coupon = server.call("POST", "/coupons", {"programId": program, "name": "Welcome", "kind": "percent", "rate": "0.15", "watchedUses": 1})["id"]
    server.call("POST", f"/coupons/{coupon}/codes", {"code": "HELLO15"})
    server.call("POST", f"/programs/{program}/rules", {"name": "Friend", "event": "sale", "reward": {"kind": "coupon", "couponId": coupon}, "for": "friend"})
    server.call("POST", f"/programs/{program}/rules", {
        "name": "Mug", "event": "sale", "reward": {"kind": "gift", "description": "A mug", "value": 900}, "choices": [{"kind": "freeShipping"}]})
    people = {}
    month = (datetime.date.today().replace(day=1) - datetime.timedelta(days=1)).replace(day=1)
    for code, email in (("PAULA", "paula.ried@gmail.com"), ("TWICE", "paula.ried+two@gmail.com"), ("NILS", "nils@people.example")):
        people[code] = server.call("POST", "/members", {"programId": program, "email": email, "name": code.title(), "joinedAt": f"{month}T08:00:00Z"})["id"]
        server.call("POST", "/links", {"programId": program, "memberId": people[code], "destination": "https://shop.example/", "code": code})
        server.call("POST", "/track/sale", {"customerExternalId": f"buyer-{code}", "amount": 60000, "currency": "EUR", "invoiceId": f"EARLY-{code}", "code": code,
                                            "occurredAt": f"{month}T12:00:00Z"})
        server.call("POST", "/track/sale", {"customerExternalId": f"buyer-{code}", "amount": 8000, "currency": "EUR", "invoiceId": f"PAY-{code}", "code": code})
    server.call("POST", "/track/refund", {"invoiceId": "PAY-NILS", "refundId": "back-1", "amount": 3000})
    server.call("POST", "/track/lead", {"eventName": "signup", "customerExternalId": "buyer-PAULA", "code": "PAULA"})
    server.call("PUT", f"/members/{people['PAULA']}/payout-account", {"kind": "iban", "holder": "Paula Ried", "iban": "DE89370400440532013000"})
    wait(lambda: len(server.call("GET", f"/commissions?programId={program}&state=approved")["data"]) >= 3, "commissions are approved")
    batch = server.call("POST", "/payouts", {"programId": program, "cutoff": datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")})["id"]
    as_another(server, second, "POST", f"/payouts/{batch}/approval")
    server.call("POST", f"/payouts/{batch}/dispatch")
    server.call("POST", f"/payouts/{batch}/outcomes", {"memberId": people["PAULA"], "outcome": "paid", "reference": "NTRF-1"})
    server.call("POST", "/reconciliations", {
        "format": "csv", "content": "date,amount,currency,reference,counterparty\n2026-11-20,-12.34,EUR,R-1,Paula Ried\n2026-11-20,-1.00,EUR,R-2,Rent\n"})
    # A return after the money has gone is a debt.
    server.call("POST", "/track/refund", {"invoiceId": "PAY-PAULA", "refundId": "back-2"})
    plan = server.call("POST", "/plans", {"programId": program, "name": "Three levels", "document": PLAN})["id"]
    run = server.call("POST", "/runs", {"planId": plan, "periodStart": str(month)})["id"]
    server.call("POST", f"/runs/{run}/preview")
    wait(lambda: server.call("GET", f"/runs/{run}")["state"] == "previewed", "the run is computed")
    as_another(server, second, "POST", f"/runs/{run}/acceptance", {"overrideReason": "Looked at by two."})
    wait(lambda: server.call("GET", f"/runs/{run}")["state"] == "accepted", "the run is accepted")
    group = server.call("POST", "/groups", {"programId": program, "name": "Gold partners", "description": "12 % instead of 10 %"})["id"]
    server.call("POST", f"/programs/{program}/rules", {"name": "Gold", "event": "sale", "reward": {"kind": "percent", "rate": "0.02"},
                                                      "conditions": {"field": "memberGroup", "op": "eq", "value": "gold-partners"}})
    server.call("PUT", f"/groups/{group}/rung", {"position": 1, "metric": "sales", "atLeast": 2, "days": 90, "fallsBack": True})
    server.call("POST", f"/groups/{group}/members", {"memberId": people["PAULA"], "reason": "Sells well at fairs"})
    server.call("POST", "/tiers", {"programId": program, "name": "Silver", "rank": 1, "measure": "sales", "entry": 1, "keep": 1, "days": 365, "benefits": "Free shipping"})
    server.call("POST", "/tiers", {"programId": program, "name": "Gold", "rank": 2, "measure": "amount", "entry": 500000, "benefits": "A day at the roastery"})
    server.call("POST", "/badges", {"programId": program, "name": "First friend", "description": "Your first friend bought.", "measure": "referrals", "threshold": 1, "unit": "points", "amount": 50})
    server.call("POST", "/earn-actions", {"programId": program, "key": "review", "name": "Write a review", "unit": "points", "amount": 50, "times": 1, "days": 30})
    server.call("PUT", f"/programs/{program}/party-plan", {"orderDays": 7, "returnDays": 14, "membersMayHost": True, "tiers": [
        {"from": 20000, "rate": "0.05"}, {"from": 50000, "rate": "0.10"}]})
    party = server.call("POST", "/parties", {"programId": program, "hostId": people["PAULA"], "title": "Coffee and friends", "place": "The roastery's garden",
                                     "startsAt": "2027-06-05T17:00:00Z", "destination": "https://shop.example/"})["code"]
    evening = server.call("POST", "/occasions", {"programId": program, "title": "An evening at the roastery", "description": "We roast together.", "place": "Hauptstraße 5, Leipzig",
                                       "startsAt": "2027-06-12T17:00:00Z", "endsAt": "2027-06-12T20:00:00Z", "places": 12, "earnAction": "review"})["id"]
    server.call("POST", f"/occasions/{evening}/answers", {"memberId": people["PAULA"], "answer": "yes"})
    survey = server.call("POST", "/surveys", {"programId": program, "kind": "csat", "question": "How content are you with our coffee?", "askedIn": ["portal"],
                                              "askedWhen": "afterPurchase", "supportUrl": "mailto:help@shop.example"})["id"]
    server.call("POST", f"/surveys/{survey}/answers", {"memberId": people["PAULA"], "score": 4, "comment": "The parcel was late."})
    server.call("POST", "/costs", {"programId": program, "channel": "paid", "stage": "customer", "date": "2026-11-01", "amount": 25000, "currency": "EUR"})
    server.call("POST", f"/programs/{program}/terms", {"text": "Say that you earn when somebody buys by your link."})
    join = server.call("PUT", f"/programs/{program}/join-page", {
        "isOpen": True, "approval": "byHand", "questions": [{"label": "Where will you share?", "isRequired": True}, {"label": "How often?", "choices": ["Daily", "Weekly"]}]})
    server.call("PUT", f"/programs/{program}/friend-page", {"isShared": True, "imprintUrl": "https://shop.example/imprint", "invitations": True})
    server.call("POST", f"/members/{people['PAULA']}/invitations", {"emails": ["ben@friends.example"], "words": "Try the filter roast.", "confirmed": True})
    server.call("POST", "/partner-invitations", {"programId": program, "name": "Olga Roth", "email": "olga@partners.example", "source": "fair-2026"})
    experiment(server, program)
    return {"program": program, "people": people, "batch": batch, "group": group, "plan": plan, "run": run, "join": join["path"], "party": f"/party/{party}",
            "invitation": urllib.parse.urlsplit(invitation).path}


def experiment(server, program):
    """An experiment with enough people to be looked at."""
    made = server.call("POST", "/experiments", {"programId": program, "name": "Ten or fifteen euros", "kind": "offer", "holdoutShare": "0.1", "variants": [{"name": "Ten euros"}, {"name": "Fifteen euros"}]})["id"]
    for number in range(90):
        who = f"trial-{number}"
        given = server.call("GET", f"/experiments/{made}/assignment?subject={who}")["variant"]
        server.call("POST", f"/experiments/{made}/exposures", {"subject": who, "variant": given, "segment": "DE" if number % 3 else "AT"})
        if number % (2 if given.startswith("Fifteen") else 4) == 0:
            server.call("POST", "/track/sale", {"programId": program, "customerExternalId": who, "amount": 3000, "currency": "EUR", "invoiceId": f"TRY-{number}"})
    return made


def wait(holds, what):
    until = time.monotonic() + STEP_SECONDS
    while not holds():
        assert time.monotonic() < until, f"in {STEP_SECONDS} s it did not come to pass that {what}"
        time.sleep(0.3)


def as_another(server, key, method, path, body=None):
    own, server.secret_key = server.secret_key, key
    try:
        return server.call(method, path, body)
    finally:
        server.secret_key = own


def operator_context(chromium, server, **settings):
    """A signed-in owner's browser, who has just proved who they are."""
    context = chromium.new_context(**settings)
    page = context.new_page()
    page.goto(f"{server.base}/sign-in")
    sign_in(page, server.email, server.password)
    page.wait_for_url(f"{server.base}/")
    page.goto(f"{server.base}/confirm")
    page.fill("input[name=password]", server.password)
    page.click("main form button[type=submit]")
    page.wait_for_load_state("load")
    return context


def portal_context(chromium, server, email, **settings):
    """The browser of a member who signed in by the link of a letter."""
    context = chromium.new_context(**settings)
    page = context.new_page()
    page.goto(f"{server.base}/portal/sign-in")
    page.fill("input[type=email]", email)
    page.click("main button[type=submit]")
    page.wait_for_load_state("load")
    page.goto(token_of_letter(context, server, email, "/portal/enter"))
    page.click("main button[type=submit]")
    page.wait_for_url(f"{server.base}/portal")
    return context


def token_of_letter(context, server, email, path):
    """The address in the newest letter to somebody, as /dev/mail shows it."""
    until = time.monotonic() + STEP_SECONDS
    while time.monotonic() < until:
        for letter in hrefs(context.request.get(f"{server.base}/dev/mail").text()):
            if letter.startswith("/dev/mail/"):
                text = context.request.get(server.base + letter).text()
                found = re.search(rf"http://[^\s\"<]+{path}\?token=[\w-]+", text)
                if email in text and found:
                    return found.group()
        time.sleep(0.3)
    raise AssertionError(f"no letter with {path} to {email}")


def hrefs(html):
    return [found.replace("&amp;", "&") for found in re.findall(r'<a [^>]*href="(/[^"#]*)', html)]


def page_routes():
    """The addresses of all pages, as the routes name them."""
    named = re.compile(r'\.(?:page|confirmedPage|portalPage)\(\s*"(/[^"]*)"|(?:table\.note\(\.get, |in \[)((?:"/[^"]*"(?:, )?)+)')
    found = set()
    for file in (ROOT / "Sources/App").rglob("*.swift"):
        if "/Tests/" in str(file) or "/API/" in str(file):
            continue
        for one, many in named.findall(file.read_text()):
            found.update([one] if one else re.findall(r'"(/[^"]*)"', many))
    return {path for path in found if not NO_PAGE.search(path) and not path.startswith(("/api/", "/brand/"))}


def pattern_of(path, routes):
    """The route that answers a path; of two the one with fewer variables."""
    fitting = [route for route in routes if re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(route)), path)]
    return min(fitting, key=lambda route: route.count("{"), default=None)


def walk(context, server, starts, routes, language=""):
    """Every page that links lead to from these, as {address: html}."""
    pages, waiting, taken = {}, list(starts), {}
    while waiting and len(pages) < ADDRESSES_MAX:
        address = waiting.pop(0)
        path = urllib.parse.urlsplit(address).path
        route = pattern_of(path, routes)
        if address in pages or route is None or NO_PAGE.search(path) or taken.get(route, 0) >= ADDRESSES_OF_A_PAGE_MAX:
            continue
        taken[route] = taken.get(route, 0) + 1
        answer = context.request.get(server.base + address)
        assert answer.status == 200, f"{address} answered {answer.status}"
        pages[address] = answer.text()
        waiting += [href for href in hrefs(pages[address]) if not href.startswith(("/r/", "//"))]
    return pages


AFFILIATES = """ID,First name,Last name,Email,Created at,Token,Unpaid commissions,Currency,Shoe size
a-1,Ida,Grün,ida9@people.example,2025-01-02T10:00:00Z,ida9,12.50,EUR,38
a-2,Bruno,Halm,nobody,2025-01-03T10:00:00Z,bruno9,0,EUR,39
"""


def mistaken_file(page, server, program):
    """Takes a file of another system up to its mistakes: its columns, its first rows and what is wrong with it."""
    page.goto(f"{server.base}/integrations/import")
    page.select_option("select[name=source]", "rewardful")
    page.select_option("select[name=program]", program)
    page.set_input_files("input[name=file]", {"name": "affiliates.csv", "mimeType": "text/csv", "buffer": AFFILIATES.encode()})
    page.locator("form[action='/integrations/import'] button").click()
    page.wait_for_url(re.compile(r"/integrations/import/imp_"))
    page.locator("button[value=rehearse]").click()
    page.wait_for_selector("text=1 mistake")
