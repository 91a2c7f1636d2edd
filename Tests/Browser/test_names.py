"""One long name breaks nobody's page: members, programs, rules, plans, customers, links and a workspace that are called by 200 letters without a
space. Nothing is wider than the screen, and every button stays in sight."""
import subprocess
import urllib.parse

import pytest

import everything
from conftest import BINARY, START_SECONDS

WORD = "W" * 30
LONG = "W" * 200
# The same page with names that are short says what it needs anyway: some tables scroll on a phone.
SHORTEN = """() => { const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode());) node.nodeValue = node.nodeValue.replace(/W{30,}/gi, 'Wanda').replace(/9{12,}/g, '9'); }"""
MEASURE = """() => {
  const wide = document.documentElement.clientWidth, shown = element => element.checkVisibility() && element.getClientRects().length;
  const name = element => element.tagName + '.' + element.className + ' ' + (element.textContent || '').trim().slice(0, 40);
  return {
    page: document.documentElement.scrollWidth - wide,
    out: [...document.querySelectorAll('main *, .app *, .friend *')].filter(shown).filter(element => !element.closest('.scroll, pre, svg, .shelf'))
      .filter(element => element.getBoundingClientRect().right > wide + 1 && element.getBoundingClientRect().left < wide).map(name).slice(0, 5),
    buttons: [...document.querySelectorAll('main .btn, main button, .app .btn, .friend .btn')].filter(shown).filter(element => element.getBoundingClientRect().right > wide + 1).map(name),
    tables: [...document.querySelectorAll('.scroll')].map(element => Math.max(0, element.scrollWidth - element.clientWidth)),
  };
}"""
# A name needs a little room of its own, also where a table scrolls on a phone anyway.
SLACK_PX = 48


@pytest.fixture(scope="module")
def company(server):
    company = everything.fill(server)
    server.call("PATCH", "/workspace", {"name": LONG})
    for program in server.call("GET", "/programs")["data"]:
        server.call("PATCH", f"/programs/{program['id']}", {"name": LONG})
        rules = server.call("GET", f"/programs/{program['id']}/rules")["data"]
        for rule in rules[:2]:
            server.call("PUT", f"/rules/{rule['id']}", {"name": LONG, "event": "sale", "reward": {"kind": "percent", "rate": "0.05"}})
    for member in server.call("GET", "/members?limit=100")["data"]:
        server.call("PATCH", f"/members/{member['id']}", {"name": LONG})
    for member in company["people"].values():
        server.call("PATCH", f"/members/{member}", {"name": LONG})
    server.call("POST", "/plans", {"programId": company["program"], "name": LONG, "document": everything.PLAN})
    code = "W" * 64
    server.call("POST", "/links", {"programId": company["program"], "memberId": company["people"]["PAULA"], "destination": "https://shop.example/", "code": code})
    server.call("POST", "/track/lead", {"eventName": "signup", "customerExternalId": "w", "customerName": LONG, "code": code})
    server.call("POST", "/track/sale", {"customerExternalId": "w", "customerName": LONG, "amount": 99999999999, "currency": "EUR", "invoiceId": "W" * 100, "code": code})
    subprocess.run([BINARY, "team", "add", "--database", server.database, "--email", f"{'w' * 60}@{'w' * 60}.example", "--role", "viewer"], capture_output=True,
                   check=True, timeout=START_SECONDS)
    return company


def starts(company):
    people = company["people"]
    return {
        "operator": ["/", "/members", "/sales", "/commissions", "/links", "/customers", "/leads", "/payouts", "/programs", "/plans", "/runs", "/team", "/ledger",
                     "/ledger/transactions", "/ledger/debtors", "/genealogy", "/audit", "/applications", "/settings", "/search?q=" + WORD, "/links/new", "/commissions/new",
                     "/members/duplicates", "/guide", "/keys", f"/members/{people['PAULA']}", f"/members/{people['PAULA']}/statement",
                     f"/members/{people['PAULA']}/payout-account", f"/members/{people['PAULA']}/merge?with={people['TWICE']}", f"/payouts/{company['batch']}",
                     f"/runs/{company['run']}", f"/runs/{company['run']}/lines", f"/runs/{company['run']}/members/{people['PAULA']}",
                     f"/runs/{company['run']}/disclosure", f"/plans/{company['plan']}", f"/laboratory?plan={company['plan']}",
                     f"/programs/{company['program']}", f"/programs/{company['program']}/settings", f"/programs/{company['program']}/rules/new",
                     f"/programs/{company['program']}/join-page", "/dev/mail"],
        "member": ["/portal", "/portal/share", "/portal/people", "/portal/earnings", "/portal/profile", "/portal/rank", "/portal/statement",
                   f"/portal/terms/{company['program']}/1"],
        "stranger": [company["join"], company["invitation"], "/sign-in", "/portal/sign-in"],
    }


# A page of each kind that lists lead to.
KINDS = ["/sales/", "/customers/", "/links/", "/commissions/", "/leads/", "/rules/", "/team/", "/ledger/accounts/", "/ledger/transactions/", "/runs/"]


@pytest.mark.parametrize("who", ["operator", "member", "stranger"])
def test_long_names_push_nothing_away(server, company, chromium, who):
    sizes = {"width": 1440, "height": 900}
    context = {"operator": lambda: everything.operator_context(chromium, server, viewport=sizes),
               "member": lambda: everything.portal_context(chromium, server, "paula.ried@gmail.com", viewport=sizes),
               "stranger": lambda: chromium.new_context(viewport=sizes)}[who]()
    page = context.new_page()
    waiting, seen, faults, named = list(starts(company)[who]), set(), [], 0
    taken = dict.fromkeys(KINDS, 0)
    while waiting:
        address = waiting.pop(0)
        if address in seen:
            continue
        seen.add(address)
        for width in (1440, 390):
            page.set_viewport_size({"width": width, "height": 900})
            answer = page.goto(server.base + address)
            if answer.status == 404:
                break
            assert answer.status == 200, f"{address} answered {answer.status}"
            text = page.content()
            named += WORD in text
            long = page.evaluate(MEASURE)
            page.evaluate(SHORTEN)
            short = page.evaluate(MEASURE)
            if long["page"] > max(0, short["page"]):
                faults.append(f"{address} at {width}: {long['page']} px wider than the screen, {long['out']}")
            faults += [f"{address} at {width}: the button {button} is out of sight" for button in long["buttons"] if len(long["buttons"]) > len(short["buttons"])]
            for number, (after, before) in enumerate(zip(long["tables"], short["tables"])):
                if after > before + SLACK_PX:
                    faults.append(f"{address} at {width}: table {number} is pushed {after - before} px to the right")
        if who == "operator":
            for href in everything.hrefs(text):
                path = urllib.parse.urlsplit(href).path
                kind = next((kind for kind in KINDS if path.startswith(kind) and path.count("/") >= kind.count("/") and not path.endswith((".csv", ".svg", ".png", "/export"))), None)
                if kind and taken[kind] < 4 and href not in seen:
                    taken[kind] += 1
                    waiting.append(href)
    context.close()
    print(f"\nnames: {who}, {len(seen)} pages in two sizes, {named} with long names")
    assert named > len(seen) // 3
    assert not faults, f"{len(faults)} faults\n" + "\n".join(faults[:60])
