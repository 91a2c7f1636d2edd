#!/usr/bin/env python3
"""The walk with real sales: the CDNOW sample through the API and as CSV, on SQLite and PostgreSQL, all four against one independent
calculation. docs/walkthrough.md tells it in words.

usage: walk.py [--rows N] [--seed N] [--kith PATH] [--databases sqlite,postgres] [--ways api,csv]
A real server for each walk; the last line is `N passed, N failed`.
"""
import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import signal
import sys
import tempfile
import threading
import time
import traceback

from databases import ROOT, Databases
from outcome import check, comparable, read_journal
from scenario import CURRENCY, RULES, ZONE, Expected, Scenario, rfc3339
from serving import Server

SAMPLE = ROOT / ".build-data/CDNOW_sample.txt"
APPROVALS_MAX_S = 600


class Report:
    def __init__(self):
        self.passed = self.failed = 0
        self.lock = threading.Lock()

    def check(self, name, holds, detail=""):
        with self.lock:
            self.passed += bool(holds)
            self.failed += not holds
            print(f"{'ok  ' if holds else 'FAIL'} {name}" + (f": {detail}" if detail and not holds else ""), flush=True)
        return holds


def main():
    options = read_options()
    for number in [signal.SIGTERM, signal.SIGINT]:
        signal.signal(number, Server.stop_all)
    scenario = Scenario(SAMPLE, options.rows, options.seed)
    expected = Expected(scenario)
    tell(scenario, expected, options)
    report = Report()
    with tempfile.TemporaryDirectory(prefix="kith-walk-") as folder:
        folder = pathlib.Path(folder)
        scenario.write_files(folder)
        with Databases(folder, options) as databases:
            walks = [(way, database) for way in options.ways for database in options.databases]
            with concurrent.futures.ThreadPoolExecutor(len(options.databases)) as pool:
                journals = list(pool.map(lambda walk: walked(*walk, databases, folder, scenario, expected, options, report), walks))
    compare(walks, journals, report)
    print(f"{report.passed} passed, {report.failed} failed")
    sys.exit(1 if report.failed else 0)


def read_options():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1997)
    parser.add_argument("--kith", default=os.environ.get("KITH_BINARY", str(ROOT / ".build/debug/kith")))
    parser.add_argument("--databases", type=lambda text: text.split(","), default=["sqlite", "postgres"])
    parser.add_argument("--ways", type=lambda text: text.split(","), default=["api", "csv"])
    return parser.parse_args()


def tell(scenario, expected, options):
    zero = sum(sale["amount"] == 0 for sale in scenario.sales)
    print(f"seed {options.seed}: {len(scenario.sales)} sales of {len({s['customer'] for s in scenario.sales})} customers, "
          f"{money(sum(s['amount'] for s in scenario.sales))}, {zero} of them for nothing")
    print(f"{len(scenario.referrers)} referrers, {len(scenario.refunds)} refunds of {money(sum(r['amount'] for r in scenario.refunds))}")
    by_level = collections.Counter()
    for (_, level), (_, earned, _) in expected.commissions.items():
        by_level[level] += earned
    back = sum(commission[2] for commission in expected.commissions.values())
    levels = ", ".join(f"level {level} {money(amount)}" for level, amount in sorted(by_level.items()))
    print(f"expected: {len(expected.commissions)} commissions ({levels}), {expected.capped} cut by the cap, {money(back)} taken back, "
          f"{len(expected.transactions)} transactions", flush=True)


def money(minor):
    return f"{minor // 100}.{minor % 100:02} {CURRENCY}"


# One walk.

def walked(way, database, databases, folder, scenario, expected, options, report):
    name = f"{way}-{database}"
    try:
        server = Server(options.kith, databases.url(database, name), folder, name)
    except Exception as failure:
        report.check(f"{name}: the server starts", False, str(failure))
        return None
    try:
        started = time.monotonic()
        client = server.client()
        program = prepare(client)
        if way == "api":
            send(client, program, scenario)
        else:
            import_files(server, client, program, folder, scenario)
            check_again(name, server, program, folder, scenario, report)
        seconds = time.monotonic() - started
        journal = read_journal(client)
        check(name, server, client, journal, scenario, expected, report)
        print(f"     {name}: written in {seconds:.1f} s, all in {time.monotonic() - started:.1f} s", flush=True)
        return journal
    except Exception as failure:
        report.check(f"{name}: the walk ends", False, f"{failure}\n{''.join(traceback.format_tb(failure.__traceback__)[-2:])}")
        return None
    finally:
        server.stop()


def prepare(client):
    """A program whose rules hold before the first sale."""
    program = client.post("/programs", {
        "name": "CDNOW", "currency": CURRENCY, "timezone": ZONE, "holdDays": 14, "customerBinding": "lifetime",
        "allowedHosts": ["cdnow.example.com"], "attribution": {"model": "last", "windowDays": 30},
    })["id"]
    for rule in RULES:
        body = {
            "name": f"Level {rule['level']}", "event": "sale", "reward": {"kind": "percent", "rate": rule["rate"]}, "level": rule["level"],
            "effectiveFrom": "1996-01-01T00:00:00Z",
        }
        if rule["cap_minor"] is not None:
            body["cap"] = {"amount": rule["cap_minor"], "per": "member", "period": "month"}
        client.post(f"/programs/{program}/rules", body)
    return program


def send(client, program, scenario):
    for referrer in scenario.referrers:
        body = {"programId": program, "email": referrer["email"], "name": referrer["name"], "externalId": referrer["external_id"],
                "joinedAt": referrer["joined_at"], "kind": "promoter"}
        if referrer["enroller"]:
            body["enrollerId"] = f"ext:{referrer['enroller']}"
        client.post("/members", body)
    make_codes(client, program, scenario)
    for sale in scenario.sales:
        body = {"customerExternalId": sale["customer"], "amount": sale["amount"], "currency": CURRENCY, "invoiceId": sale["invoice"],
                "occurredAt": rfc3339(sale["at"])}
        if sale["code"]:
            body["code"] = sale["code"]
        client.post("/track/sale", body)
    await_approvals(client)
    for refund in scenario.refunds:
        client.post("/track/refund", {
            "invoiceId": refund["invoice"], "refundId": refund["refund"], "amount": refund["amount"], "occurredAt": rfc3339(refund["at"])})


def import_files(server, client, program, folder, scenario):
    server.command("import", str(folder / "members.csv"), "--kind", "members", *import_options(server, program))
    make_codes(client, program, scenario)
    server.command("import", str(folder / "sales.csv"), "--kind", "sales", *import_options(server, program))
    await_approvals(client)
    server.command("import", str(folder / "refunds.csv"), "--kind", "refunds", *import_options(server, program))


def check_again(name, server, program, folder, scenario, report):
    """The same files once more; the journal that is read afterwards must not have grown."""
    for kind, count in [("members", len(scenario.referrers)), ("refunds", len(scenario.refunds))]:
        answer = json.loads(server.command("import", str(folder / f"{kind}.csv"), "--kind", kind, *import_options(server, program)))
        report.check(f"{name}: {kind}.csv once more makes nothing new", answer["created"] == 0 and answer["rows"] == count, str(answer))


def import_options(server, program):
    return ["--workspace", server.made["workspaceId"], "--program", program, "--json"]


def make_codes(client, program, scenario):
    for referrer in scenario.referrers:
        client.post("/links", {
            "programId": program, "memberId": f"ext:{referrer['external_id']}", "destination": "https://cdnow.example.com/",
            "code": referrer["code"], "kind": "friendCode"})


def await_approvals(client):
    """Refunds come when every commission is past its hold, so that all walks take them back from the same place."""
    end = time.monotonic() + APPROVALS_MAX_S
    while client.get("/commissions?state=pending&limit=1")["data"]:
        if time.monotonic() > end:
            raise RuntimeError(f"commissions are still pending after {APPROVALS_MAX_S} s")
        time.sleep(0.2)


def compare(walks, journals, report):
    first = journals[0]
    for walk, journal in list(zip(walks, journals))[1:]:
        same = first is not None and journal is not None and comparable(first.transactions) == comparable(journal.transactions)
        report.check(f"the journal of {'-'.join(walk)} is that of {'-'.join(walks[0])}", same)


main()
