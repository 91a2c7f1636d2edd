"""The description of the API holds against a live server: schemathesis makes calls of it, good and bad ones, and compares the answers.

Every answer must have a described status and type and the described shape, none may be 5xx, and what the description forbids must be refused.
These are the same calls each time. `KITH_API_EXAMPLES=3` adds calls made by chance, so many for each operation, and `KITH_API_SEED` chooses them.

What this does not show: that every described body is taken (`positive_data_acceptance` is off, as a described id need not be one of somebody), and what the
API makes of null (bodies with it are left out, see hooks.py). A run that its time ends early is a failure.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import time

from serving import serving

HERE = pathlib.Path(__file__).parent
EXAMPLES, SEED = os.environ.get("KITH_API_EXAMPLES"), os.environ.get("KITH_API_SEED", "20261122")
PHASES = "examples,coverage,fuzzing" if EXAMPLES else "examples,coverage"
SECONDS = 120 * (1 + int(EXAMPLES or "1") // 4)


def seeded(server):
    """Something of each kind, by the first word of its address."""
    program = server.call("POST", "/programs", {"name": "Friends", "currency": "EUR", "timezone": "Europe/Berlin", "holdDays": 0, "allowedHosts": ["shop.example"]})["id"]
    rule = server.call("POST", f"/programs/{program}/rules", {"name": "Sharer", "event": "sale", "reward": {"kind": "percent", "rate": "0.10"}})["id"]
    member = server.call("POST", "/members", {"programId": program, "email": "amira@people.example", "externalId": "1042"})["id"]
    link = server.call("POST", "/links", {"programId": program, "memberId": member, "destination": "https://shop.example/", "code": "AMIRA"})["id"]
    lead = server.call("POST", "/track/lead", {"code": "AMIRA", "eventName": "sign-up", "customerExternalId": "c"})["leadId"]
    sale = server.call("POST", "/track/sale", {"customerExternalId": "c", "amount": 8600, "currency": "EUR", "invoiceId": "i", "code": "AMIRA"})
    customer = server.call("GET", "/customers")["data"][0]["id"]
    return {"programs": program, "rules": rule, "members": member, "links": link, "leads": lead, "sales": sale["saleId"], "customers": customer,
            "commissions": sale["commissions"][0]["id"]}


def test_the_description_holds(tmp_path):
    with serving(tmp_path, is_test=True) as server:
        ids = seeded(server)
        began = time.monotonic()
        found = subprocess.run(
            [f"{sys.prefix}/bin/schemathesis", "--config-file", HERE / "schemathesis.toml", "run", f"{server.base}/api/v1/openapi.json",
             "--header", f"Authorization: Bearer {server.secret_key}", "--phases", PHASES, "--max-examples", EXAMPLES or "1", "--seed", SEED,
             "--max-time", str(SECONDS), "--continue-on-failure", "--no-shrink", "--no-color", "--output-truncate", "true",
             # A key that is revoked, or a clock that runs away, would spoil all that follows.
             "--exclude-path", "/test-clock", "--exclude-path", "/api-keys/{id}"],
            capture_output=True, text=True, timeout=SECONDS + 120, cwd=tmp_path,
            env={**os.environ, "KITH_TEST_IDS": json.dumps(ids), "SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(HERE)})
        report = "\n".join(line[:400] for line in found.stdout.splitlines())
        assert found.returncode == 0, report[-12_000:] + found.stderr[-2000:]
        # schemathesis stops without a word when its time is over.
        assert time.monotonic() - began < SECONDS, f"not all calls were made in {SECONDS} seconds"
        made = int(re.search(r"(\d+) generated", found.stdout).group(1))
        assert made > 500, f"only {made} calls were made: {report[-1500:]}"
        # It is still the same server, and its books are right.
        assert server.call("GET", f"/sales/{ids['sales']}")["id"] == ids["sales"]
    with open(tmp_path / "server.log") as log:
        assert not [line for line in log if " error " in line.lower()][:5]
