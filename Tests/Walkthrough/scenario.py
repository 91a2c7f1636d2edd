"""What goes in: the CDNOW sample with seeded referrers and refunds. And what must come out of it: an independent calculation, in integers."""
import csv
import datetime
import random
import zoneinfo
from collections import defaultdict

ZONE = "Europe/Berlin"
CURRENCY = "EUR"
# Level, share in thousandths, and what one member may get of it in a calendar month of the program's zone.
RULES = [
    {"level": 0, "thousandths": 100, "rate": "0.10", "cap_minor": 2000},
    {"level": 1, "thousandths": 30, "rate": "0.03", "cap_minor": None},
    {"level": 2, "thousandths": 15, "rate": "0.015", "cap_minor": None},
]
TOP_COUNT, MIDDLE_COUNT, LEAF_COUNT = 6, 18, 36
REFUNDED_SHARE = 0.05


class Scenario:
    """Everything follows from the sample, the number of its rows that are used, and the seed."""

    def __init__(self, sample, rows, seed):
        random_source = random.Random(seed)
        self.referrers = self._referrers(random_source)
        self.enroller = {referrer["external_id"]: referrer["enroller"] for referrer in self.referrers}
        self.sales = self._sales(sample, rows, random_source)
        self.refunds = self._refunds(random_source)

    def _referrers(self, random_source):
        referrers = []
        for number in range(TOP_COUNT + MIDDLE_COUNT + LEAF_COUNT):
            name = f"R{number + 1:02}"
            if number < TOP_COUNT:
                enroller = None
            elif number < TOP_COUNT + MIDDLE_COUNT:
                enroller = referrers[random_source.randrange(TOP_COUNT)]["external_id"]
            else:
                enroller = referrers[TOP_COUNT + random_source.randrange(MIDDLE_COUNT)]["external_id"]
            referrers.append({
                "external_id": name, "email": f"{name.lower()}@example.com", "name": f"Referrer {name}", "enroller": enroller,
                "joined_at": "1996-12-01T00:00:00Z", "code": f"WALK-{name}",
            })
        return referrers

    def _sales(self, sample, rows, random_source):
        lines = [line.split() for line in sample.read_text().splitlines() if line.strip()]
        facts = []
        for number, (_, customer, day, _, dollars) in enumerate(lines[:rows], start=1):
            whole, cents = dollars.split(".")
            facts.append((day, number, customer, int(whole) * 100 + int(cents.ljust(2, "0"))))
        facts.sort()
        of_day = defaultdict(int)
        for day, *_ in facts:
            of_day[day] += 1
        seen = defaultdict(int)
        referrer_of = {}
        sales = []
        for day, number, customer, amount in facts:
            # The sample knows days only. Sales of a day are spread over it, so that some lie past midnight in the program's zone.
            second = 86_400 * seen[day] // of_day[day]
            seen[day] += 1
            at = datetime.datetime.strptime(day, "%Y%m%d").replace(tzinfo=datetime.timezone.utc) + datetime.timedelta(seconds=second)
            is_first = customer not in referrer_of
            if is_first:
                referrer_of[customer] = random_source.choice(self.referrers)
            referrer = referrer_of[customer]
            sales.append({
                "invoice": str(number), "customer": f"C{customer}", "amount": amount, "at": at, "referrer": referrer["external_id"],
                # The first sale brings the code; it binds the customer, so later ones need none.
                "code": referrer["code"] if is_first else None,
            })
        return sales

    def _refunds(self, random_source):
        refunds = []
        for sale in self.sales:
            if sale["amount"] < 2 or random_source.random() >= REFUNDED_SHARE:
                continue
            first = random_source.randrange(1, sale["amount"])
            parts = [first]
            if random_source.random() < 0.2:  # a second one takes the rest
                parts.append(sale["amount"] - first)
            for part, amount in enumerate(parts):
                at = sale["at"] + datetime.timedelta(days=random_source.randrange(1, 60))
                refunds.append({"refund": f"{sale['invoice']}-{part + 1}", "invoice": sale["invoice"], "amount": amount, "at": at})
        refunds.sort(key=lambda refund: (refund["at"], refund["refund"]))
        return refunds

    def write_files(self, folder):
        """The same facts as CSV, as `kith import` reads them."""
        with_rows = {
            "members": (
                ["external_id", "email", "name", "enroller_external_id", "joined_at", "kind", "status"],
                [[r["external_id"], r["email"], r["name"], r["enroller"] or "", r["joined_at"], "promoter", "active"] for r in self.referrers]),
            "sales": (
                ["invoice_id", "customer_external_id", "amount", "currency", "occurred_at", "code"],
                [[s["invoice"], s["customer"], s["amount"], CURRENCY, rfc3339(s["at"]), s["code"] or ""] for s in self.sales]),
            "refunds": (
                ["refund_id", "invoice_id", "amount", "occurred_at"],
                [[r["refund"], r["invoice"], r["amount"], rfc3339(r["at"])] for r in self.refunds]),
        }
        for name, (header, rows) in with_rows.items():
            with open(folder / f"{name}.csv", "w", newline="") as file:
                writer = csv.writer(file)
                writer.writerow(header)
                writer.writerows(rows)


class Expected:
    """The journal as it must be: transactions named by invoice, level and refund instead of ids."""

    def __init__(self, scenario):
        self.scenario = scenario
        self.transactions = []  # (purpose, cause, effective or None, sorted entries)
        self.balances = defaultdict(int)
        self.commissions = {}  # (invoice, level): [member, earned, reversed]
        self.capped = 0
        self._earn()
        self._approve()
        self._refund()

    def _earn(self):
        zone = zoneinfo.ZoneInfo(ZONE)
        used = defaultdict(int)
        for sale in self.scenario.sales:
            entries = []
            payee = sale["referrer"]
            month = sale["at"].astimezone(zone).strftime("%Y-%m")
            for rule in RULES:
                if payee is None:
                    break
                wanted = half_even(sale["amount"] * rule["thousandths"], 1000)
                allowed = wanted
                if rule["cap_minor"] is not None and wanted > 0:
                    counter = (rule["level"], payee, month)
                    allowed = min(wanted, max(0, rule["cap_minor"] - used[counter]))
                    used[counter] += allowed
                    self.capped += allowed < wanted
                if allowed > 0:
                    self.commissions[sale["invoice"], rule["level"]] = [payee, allowed, 0]
                    entries += [("expenses:commissions", allowed), (f"liabilities:payable:pending:{payee}", -allowed)]
                payee = self.scenario.enroller[payee]
            if entries:
                self._post("commission", f"sale {sale['invoice']}", sale["at"], entries)

    def _approve(self):
        for (invoice, level), (payee, earned, _) in self.commissions.items():
            self._post(
                "approval", f"commission {invoice}/{level}", None,
                [(f"liabilities:payable:pending:{payee}", earned), (f"liabilities:payable:available:{payee}", -earned)])

    def _refund(self):
        refunded = defaultdict(int)
        sold = {sale["invoice"]: sale["amount"] for sale in self.scenario.sales}
        for refund in self.scenario.refunds:
            invoice = refund["invoice"]
            refunded[invoice] += refund["amount"]
            entries = []
            for rule in RULES:
                commission = self.commissions.get((invoice, rule["level"]))
                if commission is None:
                    continue
                payee, earned, back_before = commission
                back = half_even(earned * refunded[invoice], sold[invoice]) - back_before
                if back <= 0:
                    continue
                commission[2] += back
                free = max(0, -self.balances[f"liabilities:payable:available:{payee}"])
                from_available = min(free, back)
                entries.append(("expenses:commissions", -back))
                if from_available:
                    entries.append((f"liabilities:payable:available:{payee}", from_available))
                if back > from_available:
                    entries.append((f"assets:debt:{payee}", back - from_available))
            if entries:
                self._post("reversal", f"refund {refund['refund']}", refund["at"], entries)

    def _post(self, purpose, cause, at, entries):
        for account, amount in entries:
            self.balances[account] += amount
        self.transactions.append((purpose, cause, rfc3339(at) if at else None, tuple(sorted(entries))))


def half_even(numerator, denominator):
    whole, rest = divmod(numerator, denominator)
    return whole + (2 * rest > denominator or (2 * rest == denominator and whole % 2 == 1))


def rfc3339(at):
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
