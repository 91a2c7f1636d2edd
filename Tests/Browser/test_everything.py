"""Every page that there is, with real answers: valid HTML by the Nu checker, and light enough to come over a slow line."""
import collections
import json
import pathlib
import shutil
import subprocess

import pytest

import everything
from conftest import ROOT
from inspection import WEIGHT_LIMIT_BYTES, Visit

CHECKER = ROOT / ".build-data/vnu.jar"
CHECKER_SECONDS = 300
PORTAL_WEIGHT_LIMIT_BYTES = 150_000


@pytest.fixture(scope="module")
def company(server):
    return everything.fill(server)


@pytest.fixture(scope="module")
def owner(server, company, chromium):
    context = everything.operator_context(chromium, server)
    yield context
    context.close()


@pytest.fixture(scope="module")
def member(server, company, chromium):
    context = everything.portal_context(chromium, server, "paula.ried@gmail.com")
    yield context
    context.close()


@pytest.fixture(scope="module")
def pages(server, company, owner, member, chromium):
    """{name of the page: html}, of everybody's pages, and those that say no."""
    routes = everything.page_routes()
    found = {}
    people = company["people"]
    walks = {
        "owner": (owner, ["/", "/confirm", "/account", "/search?q=paula", "/settings/company", "/payouts", "/links/new", "/guide?show=snippet",
                          "/insights/progression/people?step=prospect&dimension=channel&value=mail",
                          f"/members/{people['PAULA']}/payout-account", f"/members/{people['PAULA']}/merge?with={people['TWICE']}",
                          f"/members/{people['NILS']}/statement", f"/laboratory?plan={company['plan']}", "/dev/mail"]),
        "member": (member, ["/portal", f"/portal/terms/{company['program']}/1"]),
    }
    stranger = chromium.new_context()
    walks["stranger"] = (stranger, ["/sign-in", "/portal/sign-in", company["join"], company["invitation"], company["party"], "/dev/mail"])
    for who, (context, starts) in walks.items():
        found.update({f"{who} {address}": html for address, html in everything.walk(context, server, starts, routes).items()})
    found.update({f"stranger {name}": html for name, html in joining(stranger, server, company).items()})
    for address, status in (("/no-such-page", 404), ("/r/NO-SUCH-CODE", 404), ("/portal/enter?token=used", 410), ("/invitations/used", 404)):
        told = stranger.request.get(server.base + address, headers={"Accept": "text/html"})
        assert told.status == status, f"{address} answered {told.status}"
        found[f"stranger {address}"] = told.text()
    found.update({f"refused {name}": html for name, html in refused(owner, server).items()})
    found.update({f"phone {name}": html for name, html in second_factor(owner, server).items()})
    page = owner.new_page()
    everything.mistaken_file(page, server, company["program"])
    found[f"owner {page.url.removeprefix(server.base)}"] = page.reload().text()
    page.close()
    # The same pages where nothing has happened yet: the test workspace. Last, because the owner stays there.
    page = owner.new_page()
    page.goto(server.base)
    with page.expect_navigation():
        page.locator('form[action="/workspace"]').first.evaluate("form => form.submit()")
    found.update({f"empty {address}": html for address, html in everything.walk(owner, server, ["/", "/guide"], routes).items()})
    stranger.close()
    return found


def joining(context, server, company):
    """What somebody sees who joins: asked again, thanked, asked to confirm, waiting."""
    page = context.new_page()
    page.goto(server.base + company["join"])
    page.get_by_label("name", exact=False).first.fill("Olga Neu")
    page.locator("input[type=email]").fill("olga@people.example")
    seen = {"joining refused": answer(page, "main form")}
    page.locator("#answer0").fill("On my blog")
    page.locator("input[name=terms]").check()
    seen["joining sent"] = answer(page, "main form")
    seen["joining confirmation"] = page.goto(everything.token_of_letter(context, server, "olga@people.example", "/join-confirmation")).text()
    seen["joining confirmed"] = answer(page, "main form")
    page.close()
    return seen


def refused(context, server):
    """Forms that come back with their faults."""
    seen = {}
    page = context.new_page()
    for address in ("/programs/new", "/links/new", "/team", "/keys", "/settings", "/settings/company", "/commissions/new", "/runs", "/webhooks"):
        page.goto(server.base + address)
        form = "main form[method=post]:not(.d-inline)"
        for field in page.locator(form).first.locator("input:not([type=hidden]):not([type=checkbox]):not([type=radio]), textarea").all():
            if field.is_visible():
                field.fill("")
        seen[address] = answer(page, form)
    page.close()
    return seen


def second_factor(context, server):
    """Setting up a phone, up to the code."""
    page = context.new_page()
    page.goto(f"{server.base}/account")
    seen = {"second factor": answer(page, "form[action='/account/second-factor']")}
    page.close()
    return seen


def answer(page, form):
    """Sends a form as it stands, whatever the browser thinks of it, and gives the page that comes as it was sent."""
    with page.expect_navigation() as coming:
        page.locator(form).first.evaluate("form => { form.noValidate = true; form.requestSubmit() }")
    return coming.value.text()


def test_every_page_was_looked_at(pages):
    """A page that no link leads to would be missing below."""
    routes = everything.page_routes()
    seen = {everything.pattern_of(name.split(" ", 1)[1].split("?")[0], routes) for name in pages}
    # Seen by other names: what a form answered with, and parts of pages.
    elsewhere = {"/join-confirmation", "/portal/enter", "/guide/log", "/mail/stop/{token}", "/unwanted/{token}", "/survey/{token}", "/portal/survey/{id}", "/account/second-factor", "/healthz", "/readyz", "/metrics", "/r/{code}", "/robots.txt", "/sitemap.xml", "/party/{code}/calendar.ics", "/portal/occasions/{id}/calendar.ics"}
    missing = sorted(route for route in routes - seen - elsewhere)
    assert not missing, missing


def test_html_is_valid(pages, tmp_path):
    """No error of the Nu HTML checker in any page."""
    if not CHECKER.exists() or shutil.which("java") is None:
        pytest.skip("the Nu HTML checker is not installed: bin/setup --test brings it (Java and a Python wheel)")
    names = {"wrong.html": "a page that is wrong"}
    (tmp_path / "wrong.html").write_text("<!doctype html><html lang=en><title>Wrong</title><p><ul></ul></p>")
    for number, (name, html) in enumerate(pages.items()):
        file = tmp_path / f"{number:04}.html"
        file.write_text(html)
        names[file.name] = name
    done = subprocess.run(["java", "-Xss4m", "-jar", CHECKER, "--format", "json", "--errors-only", "--exit-zero-always", tmp_path],
                          capture_output=True, text=True, timeout=CHECKER_SECONDS)
    messages = json.loads(done.stderr or done.stdout)["messages"]
    found = collections.defaultdict(list)
    for message in messages:
        found[f"{message['message']} … {message.get('extract', '').strip()[:140]!r}"].append(names.get(pathlib.Path(message.get("url", "")).name, "?"))
    print(f"\npages: {len(pages)} were checked")
    wrong = [place for places in found.values() for place in places if place == "a page that is wrong"]
    assert wrong, "the checker finds faults"
    found = {what: places for what, places in found.items() if places != ["a page that is wrong"]}
    assert not found, "\n".join(f"{len(places)}× {what}  ({', '.join(sorted(set(places))[:3])})" for what, places in found.items())


@pytest.mark.parametrize("who", ["owner", "member", "stranger"])
def test_pages_are_light(pages, server, company, owner, member, chromium, who):
    """What comes over the wire when a page is opened for the first time: one address of each page."""
    routes = everything.page_routes()
    states = {"owner": owner.storage_state(), "member": member.storage_state(), "stranger": None}
    addresses = {}
    for name in pages:
        whose, address = name.split(" ", 1)
        if whose == who and address.startswith("/"):
            addresses.setdefault(everything.pattern_of(address.split("?")[0], routes) or address, address)
    heaviest = []
    with Visit(chromium, 390, "light", states[who]) as visit:
        visit.remember_nothing()
        for address in addresses.values():
            visit.open(server.base + address)
            visit.page.wait_for_load_state("networkidle") if who != "owner" else None
            heaviest.append((visit.weight_bytes, address))
    heaviest.sort(reverse=True)
    print(f"\npages: of {len(heaviest)} the heaviest for {who}: " + ", ".join(f"{address} {size / 1000:.0f} kB" for size, address in heaviest[:3]))
    limit = PORTAL_WEIGHT_LIMIT_BYTES if who == "member" else WEIGHT_LIMIT_BYTES
    assert all(size < limit for size, _ in heaviest), [(size, address) for size, address in heaviest if size >= limit]
    assert all(size > 0 for size, _ in heaviest)
