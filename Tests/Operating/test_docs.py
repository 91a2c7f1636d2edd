"""Every command that the documentation asks readers to type is typed here: blocks that begin with ```sh, and the table of commands."""
import os
import re
import subprocess

import pytest

import everything
from machine import commands_of
from serving import BINARY, ROOT, START_SECONDS, serving

# Tried in test_server.py, on a machine of their own.
ON_A_MACHINE = {"server.md", "upgrade.md"}
STATEMENT = """<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><GrpHdr><MsgId>M-1</MsgId><CreDtTm>2026-11-20T20:00:00Z</CreDtTm></GrpHdr>
<Stmt><Id>S-1</Id><CreDtTm>2026-11-20T20:00:00Z</CreDtTm><Acct><Id><IBAN>DE89370400440532013000</IBAN></Id><Ccy>EUR</Ccy></Acct>
<Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">100.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-11-20</Dt></Dt></Bal>
<Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">97.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-11-20</Dt></Dt></Bal>
<Ntry><NtryRef>N-1</NtryRef><Amt Ccy="EUR">3.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-11-20</Dt></BookgDt>
<BkTxCd><Prtry><Cd>TRANSFER</Cd></Prtry></BkTxCd></Ntry></Stmt></BkToCstmrStmt></Document>
"""
KEY, ADDRESS = "kith_sk_…", "http://127.0.0.1:8080"


def pages_with_commands():
    return sorted(page.name for page in (ROOT / "docs").glob("*.md") if commands_of(page.name) and page.name not in ON_A_MACHINE)


def typed(script, database, folder):
    """Types a script into a shell in which `kith` is found, as the reader's would."""
    (folder / "bin").mkdir(exist_ok=True)
    if not (folder / "bin/kith").exists():
        (folder / "bin/kith").symlink_to(BINARY)
    with open(folder / "typed", "w+") as out:
        done = subprocess.run(["bash", "-c", f"set -euo pipefail -m\n{script}"], stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                              cwd=folder, timeout=START_SECONDS * 3, env={
            **os.environ, "PATH": f"{folder}/bin:{os.environ['PATH']}", "KITH_DATABASE": database})
        out.seek(0)
        text = out.read()
    assert done.returncode == 0, f"{script}\n{text[-3000:]}"
    return text


def for_reader(script, server):
    return script.replace(ADDRESS, server.base).replace(KEY, server.secret_key).replace("owner@shop.example", server.email)


def test_pages_are_known():
    assert set(pages_with_commands()) >= {"api.md", "money.md", "security.md", "start.md"}


@pytest.mark.parametrize("page", [name for name in pages_with_commands() if name != "money.md"])
def test_commands_of_a_page(page, tmp_path):
    with serving(tmp_path) as server:
        out = typed(for_reader("\n".join(commands_of(page)), server), server.database, tmp_path)
    if page == "api.md":
        assert re.search(r'"pending":\s*620\b', out.splitlines()[-1]), out[-500:]
    if page == "security.md":
        assert "owner  signs in with password" in out and "new.owner" not in out.split("signs in")[0]


def test_money(tmp_path):
    """After the walk of api.md the books look as money.md shows them."""
    with serving(tmp_path) as server:
        typed(for_reader("\n".join(commands_of("api.md")), server), server.database, tmp_path)
        out = typed("\n".join(commands_of("money.md")), server.database, tmp_path)
    balance = "\n".join(re.sub(r"(mem|prog)_\w+", r"\1_…", line.strip()) for line in out.splitlines() if re.search(r"\bEUR\b|€", line))
    page = (ROOT / "docs/money.md").read_text()
    shown = "\n".join(line.strip() for line in re.search(r"and shows\n\n```\n(.*?)^```$", page, re.M | re.S)[1].splitlines())
    assert balance == shown, f"docs/money.md should show\n{balance}"


def test_commands_of_the_table(tmp_path):
    """The example of every row of docs/operations.md."""
    rows = re.findall(r"^\| `([a-z -]+)` \| `(kith [^`]+)` \|", (ROOT / "docs/operations.md").read_text(), re.M)
    listed = subprocess.run([BINARY, "--help"], capture_output=True, text=True, timeout=START_SECONDS).stdout
    there = set(re.findall(r"^  ([a-z-]+)  +\S", listed[listed.index("SUBCOMMANDS"):], re.M)) - {"help"}
    named = {name.split()[0] for name, _ in rows}
    assert named == there, f"the table lacks {sorted(there - named)}, and there is no {sorted(named - there)}"
    folders = {name: tmp_path / name for name in ("quiet", "busy", "twin")}
    for folder in folders.values():
        folder.mkdir()
        (folder / "plans").symlink_to(ROOT / "plans")
    with serving(folders["busy"]) as busy, serving(folders["twin"], is_test=True) as twin:
        filled = everything.fill(busy)
        program = twin.call("POST", "/programs", {"name": "Trial", "currency": "EUR", "timezone": "Europe/Berlin"})["id"]
        (folders["busy"] / "sales.csv").write_text("invoice_id,customer_external_id,amount,currency,occurred_at\nX-1,c-1,4200,EUR,2026-11-01\n")
        (folders["busy"] / "drop").mkdir()
        (folders["busy"] / "drop/x.csv").write_text("invoice_id,customer_external_id,amount,currency,occurred_at\nX-2,c-1,4200,EUR,2026-11-01\n")
        os.utime(folders["busy"] / "drop/x.csv", (0, 0))  # written long ago
        (folders["busy"] / "counts.csv").write_text("variant,users,conversions\ncontrol,1000,100\nten,1000,130\n")
        (folders["busy"] / "shop.csv").write_text("customer_id,date,amount\n" + "".join(
            f"c{number},2026-0{1 + (number + again * (number % 5 + 1)) % 6}-0{1 + number % 9},{20 + number}\n" for number in range(40) for again in range(1 + number % 3)))
        (folders["busy"] / "statement.xml").write_text(STATEMENT)
        databases = {"busy": busy.database, "twin": twin.database, "quiet": f"sqlite:{folders['quiet']}/k.sqlite"}
        for name, example in rows:
            # Where there is nothing yet, where a server runs, and in a test workspace.
            where = "quiet" if name in ("setup", "migrate", "backup", "restore", "demo") else "twin" if name == "generate" else "busy"
            for placeholder, value in (("owner@example.com", busy.email), ("mem_…", filled["people"]["NILS"]), ("run_…", filled["run"]), ("prog_…", program)):
                example = example.replace(placeholder, value)
            if name in ("import", "watch-folder"):
                example += f" --program {filled['program']}"
            if name != "serve":  # both of them do
                typed(example, databases[where], folders[where])
        assert [file.name.split("-", 1)[1] for file in (folders["busy"] / "drop/done").iterdir()] == ["x.csv"]
