"""Every page that people of a team can open, filled: sound in each size and theme, reached by keyboard, and without a word outside the catalogue.
Pages that the sources serve and that are missing here fail the first test."""
import re
import subprocess
import time
from datetime import date, timedelta

import pytest

import everything
from conftest import BINARY, ROOT, START_SECONDS
from inspection import Visit, walk_by_keyboard
from test_pages import DATA, FILLING, PLAIN_TEXTS

# What is no page: files and what scripts read.
FILES = re.compile(r"\.(csv|json|png|svg|pdf|ics)$|/file$|/export$|/progress$|^/guide/log$")
PAGES = {
    "/": "/", "/account": "/account", "/account/second-factor": "/account/second-factor", "/applications": "/applications", "/applications/invitations": "/applications/invitations", "/applications/sources": "/applications/sources", "/audit": "/audit",
    "/commissions": "/commissions", "/complaints": "/complaints", "/commissions/new": "/commissions/new", "/commissions/{id}": "/commissions/{commission}",
    "/commissions/{id}/correction": "/commissions/{commission}/correction", "/commissions/{id}/void": "/commissions/{commission}/void",
    "/catalogue": "/catalogue", "/loyalty": "/loyalty", "/earning": "/earning", "/parties": "/parties", "/insights": "/insights", "/insights/costs": "/insights/costs", "/insights/levels": "/insights/levels", "/insights/levels/members": "/insights/levels/members", "/insights/progression": "/insights/progression", "/insights/progression/people": "/insights/progression/people?step=prospect&dimension=channel&value=mail", "/occasions": "/occasions", "/occasions/{id}": "/occasions/{occasion}", "/surveys": "/surveys", "/surveys/{id}": "/surveys/{survey}", "/members/{id}/wallet": "/members/{member}/wallet", "/confirm": "/confirm", "/coupons": "/coupons", "/coupons/{id}": "/coupons/{coupon}", "/rewards": "/rewards", "/rewards/{id}": "/rewards/{reward}", "/customers": "/customers", "/insights/customer-value": "/insights/customer-value", "/customers/{id}": "/customers/{customer}",
    "/customers/{id}/assignment": "/customers/{customer}/assignment", "/genealogy": "/genealogy", "/groups": "/groups", "/groups/{id}": "/groups/{group}", "/guide": "/guide", "/keys": "/keys",
    "/integrations": "/integrations", "/integrations/import": "/integrations/import", "/integrations/import/{id}": "{imported}", "/integrations/{vendor}": "/integrations/stripe",
    "/experiments": "/experiments", "/experiments/new": "/experiments/new", "/experiments/{id}": "/experiments/{experiment}",
    "/laboratory": "/laboratory", "/leads": "/leads", "/leads/{id}/receipt": "/leads/{lead}/receipt", "/ledger": "/ledger",
    "/ledger/accounts/{id}": "{account}", "/ledger/debtors": "/ledger/debtors", "/ledger/transactions": "/ledger/transactions",
    "/ledger/transactions/{id}": "/ledger/transactions/1", "/links": "/links", "/links/new": "/links/new", "/links/{id}": "/links/{link}",
    "/members": "/members", "/members/new": "/members/new", "/members/duplicates": "/members/duplicates", "/members/{id}": "/members/{member}",
    "/members/{id}/merge": "/members/{member}/merge?with={double}", "/members/{id}/payout-account": "/members/{member}/payout-account",
    "/members/{id}/statement": "/members/{member}/statement", "/payouts": "/payouts", "/payouts/{id}": "/payouts/{payout}", "/plans": "/plans", "/rails": "/rails", "/rails/{rail}": "/rails/paypal",
    "/plans/{id}": "/plans/{plan}", "/programs": "/programs", "/programs/new": "/programs/new", "/programs/{id}": "/programs/{program}",
    "/programs/{id}/join-page": "/programs/{program}/join-page", "/programs/{id}/terms/{version}": "/programs/{program}/terms/1",
    "/programs/{id}/friend-page": "/programs/{program}/friend-page", "/programs/{id}/refer-a-friend": "/programs/{program}/refer-a-friend", "/programs/{id}/referral-report": "/programs/{program}/referral-report", "/programs/{id}/rules/new": "/programs/{program}/rules/new", "/programs/{id}/settings": "/programs/{program}/settings",
    "/reconciliation": "/reconciliation", "/reconciliation/new": "/reconciliation/new", "/reconciliation/entries": "/reconciliation/entries",
    "/reconciliation/entries/{id}": "/reconciliation/entries/{entry}", "/reconciliation/payouts/{id}": "/reconciliation/payouts/{payout}",
    "/rules/{id}": "/rules/{rule}", "/runs": "/runs", "/runs/{id}": "/runs/{run}", "/runs/{id}/disclosure": "/runs/{run}/disclosure",
    "/runs/{id}/lines": "/runs/{run}/lines", "/runs/{id}/lines/{number}": "{line}", "/runs/{id}/members/{member}": "/runs/{run}/members/{member}",
    "/sales": "/sales", "/sales/{id}/receipt": "/sales/{sale}/receipt", "/sales/{id}/refund": "/sales/{sale}/refund", "/search": "/search?q=AMIRA",
    "/settings": "/settings", "/settings/company": "/settings/company", "/settings/theme": "/settings/theme", "/settings/domains": "/settings/domains",
    "/settings/letters": "/settings/letters", "/team": "/team", "/team/{id}": "{person}",
    "/webhooks": "/webhooks", "/webhooks/{id}": "/webhooks/{webhook}",
}
# The same pages in another state.
MORE = {
    "commissions that were decided": "/commissions?state=held", "no commission": "/commissions?state=refused", "no payout": "/payouts?state=unknown",
    "the oldest first": "/payouts?order=oldest", "a ledger's part": "/ledger?kind=available", "no customer": "/customers?find=zoe", "a held commission": "/commissions/{held}",
    "the snippet": "/guide?show=snippet", "a rule as JSON": "/rules/{rule}?as=json", "parked": "/sales?state=parked", "a debt": "/members/{member}",
    "no reward": "/rewards?state=held", "no such page": "/no-such-page", "a mapping": "/integrations/generic", "a postback": "/integrations/postback",
}
PLAN = "plan: three-levels\nunit: EUR\nbonuses:\n  - bonus: sharer\n    type: unilevel\n    rates: [10%, 5%, 3%]\n"
# Words of the fixture, of code and of documents that people write.
OWN = re.compile(
    r"date,channel,amount,currency,stage\s2026-11-01,paid,250.00,EUR,customer|"
    r"https?://\S+|(link|lead|sale|commission|reward|payout|program|member|run|hold|webhook|invitation|party|occasion|survey)\.[a-z_]+|Couldn.t resolve host name|\S+@\S+|…\w+|curl|POST|Authorization|Bearer|Content|Type|application|json|invoiceId|customerExternalId|amount|currency|code|date|backup|export|verify|FILE|FOLDER|"
    r"Berlin|Europe|links?|programs?|CODE|UTC|track|sale|api|test|Halm|Bruno|Ida Grün|Paid now|Sharer|Friend|Gold|gold|Fifteen euros|Ten euros|field|category|value|coffee|Three levels|three-levels|"
    r"Must be a mail address\.?|First name|Last name|Email|Created at|Token|Unpaid commissions|Shoe size|Currency|ID|Grün|nobody|bruno9|ida9|Rewardful|"
    r"hooks\.example/\w+|evt_\w+|webhook-\w+|createdAt|apiVersion|data|type|"
    r"--kith-[a-z-]+|light-dark|buyer-\d+|enroller|sharer|Looked odd|Mistake|Helped at the fair|(liabilities|assets|expenses):\S+")
WAIT_SECONDS = 30


@pytest.fixture(scope="module")
def house(server, shop, signed_in, chromium):
    """A workspace in which everything happened once."""
    program = server.call("POST", "/programs", {"name": "Paid now", "currency": "EUR", "timezone": "Europe/Berlin", "holdDays": 0, "allowedHosts": ["shop.example"]})["id"]
    rule = server.call("POST", f"/programs/{program}/rules", {"name": "Sharer", "event": "sale", "reward": {"kind": "percent", "rate": "0.10"}, "for": "member", "level": 0})["id"]
    group = server.call("POST", "/groups", {"programId": program, "name": "Gold", "description": "Mistake"})["id"]
    server.call("PUT", f"/groups/{group}/rung", {"position": 1, "metric": "sales", "atLeast": 2, "days": 90, "fallsBack": True})
    server.call("POST", f"/programs/{program}/terms", {"text": "Mistake"})
    first_of_last_month = (date.today().replace(day=1) - timedelta(days=1)).replace(day=1)
    coupon = server.call("POST", "/coupons", {"programId": program, "name": "Mistake", "kind": "fixed", "amount": 500, "watchedUses": 1, "budget": 90000})["id"]
    server.call("POST", f"/coupons/{coupon}/codes", {"count": 3})
    server.call("POST", f"/programs/{program}/rules", {"name": "Friend", "event": "sale", "reward": {"kind": "coupon", "couponId": coupon}, "for": "friend"})
    people = []
    for name in ("Ida Grün", "Ida Grün", "Bruno Halm"):
        person = {"programId": program, "email": f"ida{len(people)}@people.example", "name": name,
                  "joinedAt": f"{first_of_last_month - timedelta(days=40)}T10:00:00Z"}
        if people:
            person["enrollerId"] = people[0]
        people.append(server.call("POST", "/members", person)["id"])
    member = people[0]
    server.call("POST", f"/groups/{group}/members", {"memberId": member, "reason": "Helped at the fair"})
    link = server.call("POST", "/links", {"programId": program, "memberId": member, "destination": "https://shop.example/", "code": "IDA"})["id"]
    server.call("PUT", f"/members/{member}/payout-account", {"kind": "iban", "iban": "AT611904300234573201"})

    def sell(number, **more):
        return server.call("POST", "/track/sale", {"customerExternalId": f"buyer-{number}", "amount": 9000, "currency": "EUR", "invoiceId": f"ALL-{number}", "code": "IDA", **more})
    sales = [sell(number, occurredAt=f"{first_of_last_month + timedelta(days=3)}T10:00:00Z") for number in range(3)] + [sell(3)]
    until = time.monotonic() + WAIT_SECONDS
    while len(server.call("GET", f"/commissions?programId={program}&state=approved")["data"]) < 4:
        assert time.monotonic() < until, "the commissions were not approved"
        time.sleep(0.3)
    commissions = [server.call("GET", f"/commissions?saleId={sale['saleId']}")["data"][0]["id"] for sale in sales]
    server.call("POST", "/commission-decisions", {"action": "hold", "commissionIds": [commissions[1]], "reason": "Looked odd"})
    server.call("POST", f"/commissions/{commissions[2]}/corrections", {"amount": 500, "reason": "Mistake"})
    server.call("POST", "/commissions", {"programId": program, "memberId": people[2], "amount": 700, "reason": "Helped at the fair"})
    now = server.call("GET", "/workspace")["now"]
    payout = server.call("POST", "/payouts", {"programId": program, "cutoff": now})["id"]
    occasion = server.call("POST", "/occasions", {"programId": program, "title": "Mistake", "startsAt": "2027-06-12T17:00:00Z", "endsAt": "2027-06-12T20:00:00Z", "places": 3})["id"]
    survey = server.call("POST", "/surveys", {"programId": program, "kind": "nps", "question": "Mistake", "askedIn": ["portal"], "askedWhen": "afterReward"})["id"]
    server.call("POST", f"/surveys/{survey}/answers", {"memberId": member, "score": 3, "comment": "Mistake"})
    server.call("POST", f"/surveys/{survey}/answers", {"memberId": people[1], "score": 9})
    server.call("POST", "/reconciliations", {"format": "csv", "content": "date,amount,currency,reference,counterparty\n2026-11-20,-12.34,EUR,R-1,Ida Grün\n"})
    entry = server.call("GET", "/reconciliation-entries")["data"][0]["id"]
    server.call("POST", "/track/refund", {"invoiceId": "ALL-3", "refundId": "re_2", "reason": "Mistake"})
    plan = server.call("POST", "/plans", {"programId": program, "name": "Three levels", "document": PLAN})["id"]
    run = server.call("POST", "/runs", {"planId": plan, "periodStart": str(first_of_last_month)})["id"]
    server.call("POST", f"/runs/{run}/preview", {})
    until = time.monotonic() + WAIT_SECONDS
    while server.call("GET", f"/runs/{run}")["state"] != "previewed":
        assert time.monotonic() < until, "the run was not previewed"
        time.sleep(0.3)
    subprocess.run([BINARY, "team", "add", "--database", server.database, "--email", "jon@morgenrot.example", "--role", "finance", "--json"],
                   capture_output=True, text=True, timeout=START_SECONDS, check=True)
    webhook = server.call("POST", "/webhooks", {"url": "https://hooks.example/kith", "events": ["sale.created"]})["id"]
    server.call("POST", f"/webhooks/{webhook}/test", {})
    customer = server.call("GET", f"/sales/{sales[0]['saleId']}")["customerId"]
    reward = server.call("GET", f"/rewards?programId={program}&side=friend")["data"][0]["id"]
    found = {"occasion": occasion, "survey": survey, "coupon": coupon, "reward": reward, "program": program, "rule": rule, "member": member, "double": people[1], "link": link, "sale": sales[0]["saleId"], "lead": shop["lead"],
             "commission": commissions[0], "held": commissions[1], "customer": customer, "payout": payout, "plan": plan, "run": run, "webhook": webhook, "entry": entry, "group": group, "experiment": everything.experiment(server, program)}
    # What has no call: an account of the ledger, somebody of the team, a line of the run.
    context = chromium.new_context(storage_state=signed_in)
    for key, path, pattern in (("account", "/ledger", r'"(/ledger/accounts/[^"]+)"'), ("person", "/team", r'"(/team/opr?_[^"/]+|/team/\w+_\w+)"'),
                               ("line", f"/runs/{run}/lines", rf'"(/runs/{run}/lines/\d+)"')):
        text = context.request.get(server.base + path).text()
        hit = re.search(pattern, text)
        assert hit, f"{path} leads nowhere"
        found[key] = hit.group(1)
    page = context.new_page()
    everything.mistaken_file(page, server, program)
    found["imported"] = page.url.removeprefix(server.base)
    page.close()
    # A second factor that was begun and not finished: its page shows the secret.
    page = context.new_page()
    page.goto(f"{server.base}/account")
    page.locator("form[action='/account/second-factor'] button").click()
    page.wait_for_url(re.compile("/account/second-factor$"))
    context.close()
    return found


def test_no_page_is_missing_here():
    served = set()
    for file in (ROOT / "Sources/App").rglob("*.swift"):
        text = file.read_text()
        served |= set(re.findall(r"api\.(?:page|confirmedPage)\(\s*\"([^\"]+)\"", text))
        if file.name == "HandStep.swift":
            served |= set(re.findall(r"path: \"([^\"]+)\"", text))
    served = {path for path in served if not FILES.search(path)}
    assert served == set(PAGES), served ^ set(PAGES)


ALL = {**PAGES, **MORE}


def address(server, house, name):
    return server.base + ALL[name].format(**house)


def open_confirmed(visit, server, url):
    """Opens a page; where it asks for a fresh proof, gives it first."""
    answer = visit.open(url)
    if "/confirm?" in visit.page.url and not url.startswith(f"{server.base}/confirm"):
        visit.page.fill("input[name=password]", server.password)
        visit.page.locator("main form button[type=submit]").first.click()
        visit.page.wait_for_load_state("load")
        answer = visit.open(url)
        assert "/confirm" not in visit.page.url
    return answer


@pytest.mark.parametrize("name", ALL)
def test_page_is_sound(server, house, signed_in, chromium, name):
    """No complaint, not too wide, nothing for axe to find, in every size and theme."""
    with Visit(chromium, 390, "light", signed_in) as visit:
        status = 404 if name == "no such page" else 200
        assert open_confirmed(visit, server, address(server, house, name)).status == status
        for mode in visit.in_every_mode():
            visit.check(status=status)
            across = visit.page.evaluate("[...document.querySelectorAll('.scroll')].filter(box => !box.matches('[tabindex]')).map(box => box.scrollWidth - box.clientWidth)")
            assert all(wide <= 0 for wide in across), f"{mode}: {across}"


@pytest.mark.parametrize("name", ALL)
def test_keyboard_and_catalogue(server, house, signed_in, chromium, name):
    """Every stop shows that it has the focus; in the pseudo-locale, words without accents are hard-coded ones."""
    with Visit(chromium, 390, "light", signed_in) as visit:
        open_confirmed(visit, server, address(server, house, name))
        walk_by_keyboard(visit.page)
        there = address(server, house, name)
        open_confirmed(visit, server, there + ("&" if "?" in there else "?") + "lang=en-XA")
        texts = [text for text in visit.page.evaluate(PLAIN_TEXTS) if "<script" not in text]
        plain = [text for text in texts if re.search(r"[A-Za-z]{4}", DATA.sub("", OWN.sub("", FILLING.sub("", text))))]
        assert not plain, plain
        across = visit.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert across <= 0, f"{across} px too wide with longer texts"
