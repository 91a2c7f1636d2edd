"""Pages of the demo on a phone: what a row is about stands in it, and nothing is cut off."""
import subprocess

import pytest

from conftest import BINARY
from inspection import Visit

DEMO_SECONDS = 120


@pytest.fixture(scope="module")
def told(server):
    subprocess.run([BINARY, "demo", "--database", server.database], check=True, capture_output=True, timeout=DEMO_SECONDS)
    return server


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_is_due_stands_in_order(told, chromium, signed_in, scheme):
    with Visit(chromium, 390, scheme, signed_in) as visit:
        visit.open(f"{told.base}/payouts")
        row = visit.page.locator(".todo > li").first
        dot, words, form = (row.locator(part).first.bounding_box() for part in (".dot", ".what", "form"))
        assert dot["width"] < 60, "the picture has a narrow column"
        assert abs(words["x"] - form["x"]) < 2 and form["y"] > words["y"], "the form stands below the words"
        assert form["width"] > 280
        badge = visit.page.get_by_text("Some came back").locator("visible=true").first.bounding_box()
        assert badge["x"] + badge["width"] <= 390
        visit.check()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_sale_says_order_and_member(told, chromium, signed_in, scheme):
    with Visit(chromium, 390, scheme, signed_in) as visit:
        visit.open(f"{told.base}/sales")
        lead = visit.page.locator(".lead-line").inner_text()
        assert "members earned €" in lead and "is paid" not in lead
        rows = visit.page.locator("tbody tr")
        shown = [rows.nth(number).inner_text() for number in range(10)]
        assert all("MR-1" in text for text in shown), shown
        assert any("nobody" not in text for text in shown)
        visit.check()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_statement_shows_its_amounts(told, chromium, signed_in, scheme):
    batch = told.call("GET", "/payouts")["data"][0]
    member = max(batch["items"], key=lambda item: item["amount"])["memberId"]
    with Visit(chromium, 390, scheme, signed_in) as visit:
        visit.open(f"{told.base}/members/{member}/statement")
        cells = visit.page.locator("td.r, th.r").all()
        assert len(cells) > 4
        for cell in cells:
            box = cell.bounding_box()
            assert box["x"] + box["width"] <= 390, cell.inner_text()
        visit.check()


def test_people_have_names(told, chromium, signed_in):
    with Visit(chromium, 1440, "light", signed_in) as visit:
        visit.open(f"{told.base}/payouts")
        assert "Jonas Reuter" in visit.page.locator("main").inner_text(), "who made a payout"
        assert "Mira Hoff" in visit.page.locator("body").inner_text(), "who is signed in"
        visit.open(told.base)
        fans = visit.page.locator("section[aria-labelledby=fans]").inner_text()
        assert "Customers" in fans and "\t0" not in fans.split("Sharers")[0], fans
