"""A run of many members is accepted in the page by a second person, while sales go on, and one of its lines is explained down to the
order. KITH_RUN_MEMBERS promoters (300 by default; 1000000 is what the product promises) stand in a made-up organisation.
Prints how long sales waited before and meanwhile, and the most memory that the server has held. KITH_RUN_DATABASE=postgres://… does the
same in a database there that must be empty."""
import json
import os
import re
import statistics
import subprocess
import threading
import time
import urllib.request

import pytest

from conftest import BINARY, WIDTHS, START_SECONDS, Server, address, sign_in
from inspection import Visit

MEMBERS = int(os.environ.get("KITH_RUN_MEMBERS", "300"))
# A million members take minutes in each step.
STEP_SECONDS = 60 + MEMBERS // 100
PLAN = """
plan: seven-levels
unit: EUR
ranks:
  - rank: bronze
    condition: {metric: groupVolume, atLeastMinor: 50000}
  - rank: silver
    condition: {all: [{metric: groupVolume, atLeastMinor: 200000}, {metric: legsWithRank, rank: bronze, atLeast: 2}]}
bonuses:
  - bonus: level
    type: unilevel
    rates: [10%, 5%, 4%, 3%, 2%, 1%, 1%]
    compression: {mode: removeInactive, keeps: active}
"""


@pytest.fixture(scope="module")
def company(tmp_path_factory):
    """A server with a test workspace, its plan and the made-up organisation."""
    folder = tmp_path_factory.mktemp("kith-runs")
    database = os.environ.get("KITH_RUN_DATABASE") or f"sqlite:{folder}/kith.sqlite"
    made = command("setup", "--database", database, "--workspace", "Morgenrot", "--email", "mira@morgenrot.example", "--test", "--json")
    log = open(folder / "server.log", "w+")
    process = subprocess.Popen([BINARY, "serve", "--database", database, "--host", "127.0.0.1", "--port", "0"],
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=folder,
                               env={**os.environ, "KITH_RATE_LIMIT": "0"})
    try:
        server = Server(made, address(process, log), database)
        second = command("team", "add", "--database", database, "--email", "jon@morgenrot.example", "--role", "finance", "--json")
        program = server.call("POST", "/programs", {"name": "Friends of Morgenrot", "currency": "EUR", "timezone": "Europe/Berlin"})["id"]
        plan = server.call("POST", "/plans", {"programId": program, "name": "Seven levels", "document": PLAN})["id"]
        started = time.monotonic()
        filled = command("generate", "--database", database, "--workspace", made["workspaceId"], "--program", program, "--members", str(MEMBERS),
                         "--seed", "11", "--day", "2026-10-05", "--json", timeout=STEP_SECONDS * 20)
        print(f"\nrun: {filled['members']} members and {filled['orders']} orders were written in {time.monotonic() - started:.1f} s")
        yield {"server": server, "second": second, "program": program, "plan": plan, "folder": folder, "process": process}
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
        log.close()


def memory_mb(company):
    """The most that the server has held, as Linux counts it."""
    status = open(f"/proc/{company['process'].pid}/status").read()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1)) // 1024


def command(*words, timeout=START_SECONDS):
    done = subprocess.run([BINARY, *words], capture_output=True, text=True, timeout=timeout)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def cookies(chromium, server, email, password):
    """Signs in and looks at the test twin."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{server.base}/sign-in")
    sign_in(page, email, password)
    page.wait_for_url(f"{server.base}/")
    with page.expect_navigation():
        page.locator('form[action="/workspace"]').first.evaluate("form => form.submit()")
    state = context.storage_state()
    context.close()
    return state


class Sales:
    """Somebody who buys all the time, and how long each sale took."""

    def __init__(self, company, name):
        self.server, self.program, self.name = company["server"], company["program"], name
        self.seconds, self.ends = [], threading.Event()
        self.thread = threading.Thread(target=self.buy, daemon=True)

    def buy(self):
        while not self.ends.is_set():
            started = time.monotonic()
            self.server.call("POST", "/track/sale", {
                "programId": self.program, "customerExternalId": f"{self.name}-{len(self.seconds)}", "amount": 1000, "currency": "EUR",
                "invoiceId": f"{self.name}-{len(self.seconds)}"})
            self.seconds.append(time.monotonic() - started)
            time.sleep(0.01)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ends.set()
        self.thread.join(60)

    def words(self):
        ms = sorted(second * 1000 for second in self.seconds)
        return f"{len(ms)} sales, median {statistics.median(ms):.1f} ms, 99 % {ms[int(len(ms) * 0.99)]:.1f} ms, longest {ms[-1]:.1f} ms"


def until(page, seconds, *states):
    """Waits until the run is in one of the states, as its page says."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        told = page.evaluate("url => fetch(url).then(answer => answer.json())", page.url.split("?")[0].split("#")[0] + "/progress")
        if told["work"] is None and told["state"] in states:
            page.reload()
            return
        time.sleep(0.2)
    pytest.fail(f"the run is {told} after {seconds} s")


def test_a_large_run_is_accepted_and_explained(company, chromium):
    server = company["server"]
    with Sales(company, "before") as before:
        time.sleep(3)
    maker = cookies(chromium, server, server.email, server.password)
    with Visit(chromium, 1440, "light", maker) as visit:
        page = visit.page
        visit.open(f"{server.base}/runs")
        page.fill("input[name=periodStart]", "2026-10-01")
        page.locator("main form button[type=submit]").first.click()
        page.wait_for_url(re.compile(r"/runs/run_"))
        url = page.url
        visit.check()
        started = time.monotonic()
        with Sales(company, "preview") as preview:
            # The answer waits a while for the end of the work.
            page.set_default_timeout(STEP_SECONDS * 1000)
            page.locator(f"form[action$='/preview'] button").first.click()
            page.wait_for_load_state("load")
            until(page, STEP_SECONDS, "previewed")
        print(f"run: the preview took {time.monotonic() - started:.1f} s, {memory_mb(company)} MB at most so far")
        visit.check()
        assert page.locator("form[action$='/acceptance']").count() == 0, "who made it can't accept it"
    second = cookies(chromium, server, "jon@morgenrot.example", company["second"]["password"])
    with Visit(chromium, 1440, "light", second) as visit:
        page = visit.page
        visit.open(url)
        started = time.monotonic()
        with Sales(company, "acceptance") as acceptance:
            page.set_default_timeout(STEP_SECONDS * 1000)
            accept(page)
            page.wait_for_load_state("load")
            until(page, STEP_SECONDS * 5, "accepted")
        print(f"run: the acceptance took {time.monotonic() - started:.1f} s, {memory_mb(company)} MB at most so far")
        visit.check()
        visit.open(url + "/lines")
        visit.check()
        started = time.monotonic()
        page.set_default_navigation_timeout(STEP_SECONDS * 1000)
        page.locator("main tbody tr").first.locator("a").last.click()
        page.wait_for_url(re.compile(r"/lines/\d+"), timeout=STEP_SECONDS * 1000)
        print(f"run: the first receipt took {time.monotonic() - started:.1f} s")
        text = page.locator("main").inner_text()
        assert re.search(r"made-sale_|The order", text), text
        assert page.locator(".trail li").count() >= 2, "the path up from the buyer"
        visit.check()
        page.locator("dl.because a").first.click()
        page.wait_for_url(re.compile(r"/sales/sale_.*/receipt"))
        assert "made-sale_" in page.locator("main").inner_text(), "down to the order"
    for name, sales in (("before", before), ("during the preview", preview), ("during the acceptance", acceptance)):
        print(f"run: {name}: {sales.words()}")
    assert max(acceptance.seconds) < 5, "sales never stall"


def accept(page):
    reason = page.locator("textarea[name=overrideReason]")
    if reason.count():
        reason.fill("A made-up organisation.")
    page.locator("form[action$='/acceptance'] button[type=submit]").click()


@pytest.mark.parametrize("width", WIDTHS)
def test_the_pages_of_plans_and_trees(company, chromium, width):
    server = company["server"]
    if "cookies" not in company:
        company["cookies"] = cookies(chromium, server, server.email, server.password)
    with Visit(chromium, width, "light", company["cookies"]) as visit:
        for path in ("/plans", "/laboratory", "/genealogy", f"/plans/{company['plan']}", "/runs"):
            visit.open(server.base + path)
            visit.check_in_every_mode()
        visit.turn(width, "light")
        visit.open(server.base + "/genealogy")
        started = time.monotonic()
        visit.page.locator("a.who, a.person").locator("visible=true").first.click()
        visit.page.wait_for_url(re.compile("member=mem_"))
        print(f"run: a branch took {time.monotonic() - started:.2f} s")
        visit.check_in_every_mode()
