"""docs/server.md and docs/upgrade.md, command by command, on a machine of their own: from nothing to a service, to a newer version, and back."""
import json
import re

import pytest

from machine import Machine, commands_of
from serving import ROOT

why_not = Machine.why_not()
pytestmark = pytest.mark.skipif(why_not is not None, reason=str(why_not))
CALL = "curl -fsS -H \"Authorization: Bearer $KEY\" -H 'Content-Type: application/json' http://127.0.0.1:8080/api/v1"


def test_from_nothing_to_a_newer_version_and_back(tmp_path):
    server, upgrade = commands_of("server.md"), commands_of("upgrade.md")
    assert len(server) == 6 and len(upgrade) == 3, "the pages have the blocks that this test knows"
    *place, start, copy, look_after = server
    build, forth, back = upgrade
    start = start.replace("sudo kith-as-service setup", "sudo kith-as-service setup --json", 1).replace("owner@morgenrot.example\n", "owner@morgenrot.example | tee made.json\n", 1)
    assert "tee made.json" in start
    printed = Machine(tmp_path).run("\n".join([
        *place, start, copy, look_after,
        "test $(stat -c %a /var/lib/kith) = 700 && test $(stat -c %a kith.sqlite.secrets.copy) = 600 && test $(stat -c %U /var/lib/kith/kith.sqlite) = kith",
        "ls /var/backups/kith/kith-$(date +%F).backup /var/backups/kith/kith.keys",
        "KEY=$(python3 -c 'import json; print(json.load(open(\"made.json\"))[\"secretKey\"])')",
        f"""{CALL}/programs -d '{{"name":"Before","currency":"EUR","timezone":"Europe/Berlin"}}'; echo""",
        "cp .build/release/kith old && printf newer >>.build/release/kith",
        build, forth,
        "cmp /usr/local/bin/kith .build/release/kith && cmp /usr/local/bin/kith.before old",
        f"""{CALL}/programs -d '{{"name":"Since then","currency":"EUR","timezone":"Europe/Berlin"}}'; echo""",
        f"echo names: $({CALL}/programs)",
        back,
        "cmp /usr/local/bin/kith old",
        f"echo names: $({CALL}/programs)",
    ]))
    names = [[program["name"] for program in json.loads(line.removeprefix("names: "))["data"]] for line in printed.splitlines() if line.startswith("names: ")]
    assert sorted(names[0]) == ["Before", "Since then"] and names[1] == ["Before"], names


def test_links_of_the_documentation_lead_somewhere():
    """Every relative link of docs/ and the README, down to the heading."""
    broken = []
    for page in [*(ROOT / "docs").glob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]:
        for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.M | re.S)):
            if re.match(r"[a-z]+:", target):
                continue
            path, _, heading = target.partition("#")
            file = page.parent / path if path else page
            if not file.exists():
                broken.append(f"{page.name}: {target}")
            elif heading and heading not in headings(file):
                broken.append(f"{page.name}: {target}")
    assert not broken, broken


def headings(file):
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in re.findall(r"^#+ (.*)$", file.read_text(), re.M)}
