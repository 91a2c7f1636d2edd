"""An owner who lost everything comes in again, with what docs/security.md says, while the server runs."""
import json
import re
import subprocess

from conftest import BINARY, START_SECONDS, sign_in
from inspection import Visit
from test_money import Person


def team(server, *words):
    """Runs `kith team …` beside the running server."""
    done = subprocess.run([BINARY, "team", *words, "--database", server.database], capture_output=True, text=True, timeout=START_SECONDS)
    assert done.returncode == 0, done.stderr
    return done.stdout


def comes_in(server, visit, email, password):
    visit.page.context.clear_cookies()
    visit.page.goto(f"{server.base}/sign-in")
    sign_in(visit.page, email, password)
    visit.page.wait_for_load_state("load")
    return visit.page.url == f"{server.base}/"


def test_an_owner_who_lost_phone_and_password(server, chromium):
    owner = Person(server, "olga", "owner")
    with Visit(chromium, 1440, "light") as visit:
        owner.sign_in(visit.page)
        owner.set_up_phone(visit)
        assert re.search(r"^olga@morgenrot.example  owner  signs in with password and code$", team(server, "list"), re.M)
        # The phone is gone, and so is the paper with the codes.
        assert not comes_in(server, visit, owner.email, owner.password) and visit.page.locator("#code").is_visible()
        team(server, "remove-second-factor", owner.email)
        assert comes_in(server, visit, owner.email, owner.password), "the password alone signs in"
        # So is the password; with ten wrong ones the account waits.
        team(server, "reset-password", owner.email, "--json")
        assert not comes_in(server, visit, owner.email, owner.password)
        for _ in range(10):
            assert not comes_in(server, visit, owner.email, "not the password")
        fresh = json.loads(team(server, "reset-password", owner.email, "--json"))["password"]
        assert comes_in(server, visit, owner.email, fresh), "a new password opens the account at once"
        # It is all in the audit log, and told by letter.
        visit.open(f"{server.base}/audit")
        assert visit.page.locator("tbody tr").count() >= 3
        visit.open(f"{server.base}/dev/mail")
        letters = visit.page.locator("main").inner_text()
        assert letters.count("Second factor off") == 1 and letters.count("New password") == 2, letters


def test_an_owner_who_has_gone(server, chromium):
    made = json.loads(team(server, "add", "--email", "new.owner@shop.example", "--role", "owner", "--json"))
    with Visit(chromium, 390, "dark") as visit:
        assert comes_in(server, visit, "new.owner@shop.example", made["password"])
        assert visit.open(f"{server.base}/team").status == 200
        visit.check(weigh=False)
