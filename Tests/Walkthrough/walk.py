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
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import urllib.parse

from scenario import CURRENCY, RULES, ZONE, Expected, Scenario, rfc3339
from serving import Server

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SAMPLE = ROOT / ".build-data/CDNOW_sample.txt"
APPROVALS_MAX_S = 180
RECEIPT_READERS = 3


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


# What came out, with the company's own numbers in place of ids.

Journal = collections.namedtuple("Journal", "transactions sums commissions receipts balances names")


def read_journal(client):
    members = {member["id"]: member["externalId"] for member in client.all("/members")}
    sales = {sale["id"]: sale["invoiceId"] for sale in client.all("/sales")}
    commissions = list(client.all("/commissions"))
    causes = {id: f"sale {invoice}" for id, invoice in sales.items()}
    causes |= {commission["id"]: f"commission {sales[commission['saleId']]}/{commission['level']}" for commission in commissions}
    causes |= {refund["id"]: f"refund {refund['refundId']}" for refund in client.all("/refunds")}
    transactions, sums, balances = [], collections.Counter(), collections.Counter()
    for transaction in client.all("/ledger/transactions"):
        purpose = transaction["purpose"]
        entries = []
        sum_of_transaction = 0
        for entry in transaction["entries"]:
            account = plain_account(entry["account"], members)
            entries.append((account, entry["amount"]))
            balances[account] += entry["amount"]
            sum_of_transaction += entry["amount"]
            sums[entry["unit"]] += entry["amount"]
        if sum_of_transaction != 0:
            sums["unbalanced transactions"] += 1
        # Approval happens at whatever time the walk is run.
        effective = None if purpose == "approval" else re.sub(r"\.0+Z$", "Z", transaction["effectiveAt"])
        transactions.append((purpose, causes.get(transaction["cause"], transaction["cause"]), effective, tuple(sorted(entries))))
    earned = {
        (sales[c["saleId"]], c["level"]): [members[c["memberId"]], c["amount"], c["reversedAmount"]] for c in commissions
    }
    return Journal(transactions, sums, earned, sales, balances, members)


def plain_account(account, members):
    *path, last = account.split(":")
    if last in members:
        return ":".join([*path, members[last]])
    return ":".join(path) if last.startswith("prog_") else account


def check(name, server, client, journal, scenario, expected, report):
    report.check(f"{name}: {len(scenario.sales)} sales are there", len(journal.receipts) == len(scenario.sales), f"{len(journal.receipts)} are")
    report.check(f"{name}: sums are 0 per unit, in every transaction and in all", not any(journal.sums.values()), str(journal.sums))
    wrong = [(key, journal.commissions.get(key), value) for key, value in expected.commissions.items() if journal.commissions.get(key) != value]
    more = [key for key in journal.commissions if key not in expected.commissions]
    report.check(
        f"{name}: {len(expected.commissions)} commissions agree with the independent calculation", not wrong and not more,
        f"{len(wrong)} differ, such as {wrong[:3]}, {len(more)} are too many, such as {more[:3]}")
    report.check(
        f"{name}: the journal is the expected one, {len(expected.transactions)} transactions",
        comparable(journal.transactions) == comparable(expected.transactions), first_difference(journal.transactions, expected.transactions))
    report.check(
        f"{name}: every balance agrees", nonzero(journal.balances) == nonzero(expected.balances),
        str(list((nonzero(journal.balances).items() ^ nonzero(expected.balances).items()))[:4]))
    check_receipts(name, server, journal, report)
    check_members(name, client, expected, report)
    check_hledger(name, server, journal, expected, report)
    check_verify(name, server, report)


def comparable(transactions):
    """In the order of the journal, but approvals apart: they are the worker's, at its own pace between the others."""
    return [t for t in transactions if t[0] != "approval"], sorted(t for t in transactions if t[0] == "approval")


def first_difference(found, wanted):
    for left, right in zip(sum(comparable(found), []), sum(comparable(wanted), [])):
        if left != right:
            return f"found {left}, expected {right}"
    return f"{len(found)} found, {len(wanted)} expected"


def nonzero(balances):
    return {account: amount for account, amount in balances.items() if amount}


def check_receipts(name, server, journal, report):
    paying = {invoice for invoice, _ in journal.commissions}
    ids = list(journal.receipts.items())

    def read(part):
        client = server.client()
        bad = []
        for id, invoice in part:
            receipt = client.get(f"/sales/{id}/receipt")
            has_reason = bool(receipt["answer"]) and (bool(receipt["lines"]) or "Nobody is paid" in receipt["answer"])
            if not has_reason or bool(receipt["lines"]) != (invoice in paying):
                bad.append((invoice, receipt["answer"]))
        return bad

    with concurrent.futures.ThreadPoolExecutor(RECEIPT_READERS) as pool:
        bad = sum(pool.map(read, [ids[start::RECEIPT_READERS] for start in range(RECEIPT_READERS)]), [])
    report.check(f"{name}: {len(ids)} sales have a receipt with lines or a reason", not bad, str(bad[:3]))


def check_members(name, client, expected, report):
    wrong = []
    for referrer in expected.scenario.referrers:
        id = referrer["external_id"]
        rows = client.get(f"/members/{urllib.parse.quote('ext:' + id)}/balances")
        available = sum(row["available"] for row in rows if row["unit"] == CURRENCY)
        debt = sum(row["debt"] for row in rows if row["unit"] == CURRENCY)
        if (available, debt) != (-expected.balances[f"liabilities:payable:available:{id}"], expected.balances[f"assets:debt:{id}"]):
            wrong.append((id, rows))
    report.check(f"{name}: the {len(expected.scenario.referrers)} members' balances agree", not wrong, str(wrong[:2]))


def check_hledger(name, server, journal, expected, report):
    file = pathlib.Path(server.environment["KITH_SOCKET"]).with_suffix(".journal")
    file.write_text(server.command("ledger", "export", "--format", "hledger", "--workspace", server.made["workspaceId"]))
    checked = subprocess.run(["hledger", "-f", file, "check"], capture_output=True, text=True)
    report.check(f"{name}: hledger check is clean", checked.returncode == 0, checked.stderr[:500])
    printed = subprocess.run(["hledger", "-f", file, "balance", "--flat", "--no-total", "-O", "json"], capture_output=True, text=True, check=True)
    balances = collections.Counter()
    for account, _, _, amounts in json.loads(printed.stdout)[0]:
        for amount in amounts:
            quantity = amount["aquantity"]
            minor = quantity["decimalMantissa"] * 100 // 10 ** quantity["decimalPlaces"]
            balances[plain_account(account, journal.names)] += minor
    report.check(
        f"{name}: hledger's balances are ours to the cent", nonzero(balances) == nonzero(expected.balances),
        str(list(nonzero(balances).items() ^ nonzero(expected.balances).items())[:4]))


def check_verify(name, server, report):
    done = subprocess.run([server.kith, "verify", "--json"], env=server.environment, capture_output=True, text=True)
    report.check(f"{name}: kith verify finds nothing wrong", done.returncode == 0, (done.stdout + done.stderr)[-500:])


def compare(walks, journals, report):
    first = journals[0]
    for walk, journal in list(zip(walks, journals))[1:]:
        same = first is not None and journal is not None and comparable(first.transactions) == comparable(journal.transactions)
        report.check(f"the journal of {'-'.join(walk)} is that of {'-'.join(walks[0])}", same)


class Databases:
    """SQLite files in the folder; databases of a PostgreSQL that is started for the walk unless KITH_TEST_POSTGRES names one."""

    def __init__(self, folder, options):
        self.folder, self.wants_postgres = folder, "postgres" in options.databases
        self.socket = None
        self.made = []
        self.own = None

    def __enter__(self):
        if self.wants_postgres:
            url = os.environ.get("KITH_TEST_POSTGRES")
            if not url:
                self.own = pathlib.Path(tempfile.gettempdir()) / f"kith-walk-postgres-{os.getpid()}"
                url = self._run([ROOT / "bin/postgres", "start"], KITH_POSTGRES_DIR=str(self.own)).strip().split("=", 1)[1]
            self.socket = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)["host"][0]
        return self

    def __exit__(self, *_):
        if self.own:
            self._run([ROOT / "bin/postgres", "stop"], KITH_POSTGRES_DIR=str(self.own))
            shutil.rmtree(self.own, ignore_errors=True)
        else:
            for name in self.made:
                self._run(["dropdb", "-h", self.socket, "-U", "postgres", "--force", name])

    def url(self, kind, name):
        if kind == "sqlite":
            return f"sqlite:{self.folder / name}.sqlite"
        database = f"walk_{os.getpid()}_{name.replace('-', '_')}"
        self._run(["createdb", "-h", self.socket, "-U", "postgres", database])
        self.made.append(database)
        return f"postgres://postgres@/{database}?host={self.socket}"

    @staticmethod
    def _run(command, **environment):
        return subprocess.run(command, env={**os.environ, **environment}, check=True, capture_output=True, text=True).stdout


main()
