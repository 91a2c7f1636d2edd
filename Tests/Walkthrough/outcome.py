"""What a walk left behind, held against the independent calculation: journal, commissions, receipts, balances, hledger, `kith verify`."""
import collections
import concurrent.futures
import json
import pathlib
import re
import subprocess
import urllib.parse

from scenario import CURRENCY

RECEIPT_READERS = 3

# With the company's own numbers in place of ids.
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
