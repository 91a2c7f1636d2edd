"""A large file is followed in a terminal, its server is killed in the middle, and the same file given again goes on where it was."""
import json
import os
import pty
import re
import signal
import subprocess

import pytest

from conftest import BINARY

MEMBERS = 3_000
KILLED_AFTER_ROWS = 600
START_SECONDS = 60
WRITING = re.compile(r"writing +\[[# ]+\] +(\d+) %  ([\d,]+) of ([\d,]+)")


@pytest.fixture
def place(tmp_path):
    environment = {**os.environ, "KITH_SECRETS_FILE": str(tmp_path / "secrets"), "KITH_SOCKET": str(tmp_path / "s")}
    database = f"sqlite:{tmp_path}/kith.sqlite"
    made = json.loads(subprocess.run(
        [BINARY, "setup", "--database", database, "--workspace", "Move", "--email", "mira@shop.test", "--test", "--json"],
        env=environment, capture_output=True, text=True, check=True, timeout=START_SECONDS).stdout)
    file = tmp_path / "members.csv"
    file.write_text("external_id,email\n" + "".join(f"m{number},m{number}@members.test\n" for number in range(MEMBERS)))
    return {"environment": environment, "database": database, "workspace": made["workspaceId"], "key": made["secretKey"], "file": file, "folder": tmp_path}


def arguments(place, *words):
    return [BINARY, *words, "--database", place["database"], "--workspace", place["workspace"]]


def at_a_terminal(place, words, each=lambda _: None):
    """What a person at a terminal sees, and the exit status. `each` gets all that came so far."""
    child, terminal = pty.fork()
    if child == 0:
        os.execve(words[0], [str(word) for word in words], place["environment"])
    seen = b""
    while True:
        try:
            piece = os.read(terminal, 4_096)
        except OSError:
            break
        if not piece:
            break
        seen += piece
        each(seen.decode(errors="replace"))
    os.close(terminal)
    return seen.decode(), os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_an_import_goes_on_after_kill_9(place):
    server = subprocess.Popen([BINARY, "serve", "--database", place["database"], "--port", "0"], env=place["environment"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    base = re.search(r"http\S+", server.stdout.readline()).group(0)
    call = subprocess.run(
        ["curl", "-fsS", f"{base}/api/v1/programs", "-H", f"Authorization: Bearer {place['key']}", "-H", "Content-Type: application/json",
         "-d", '{"name":"Friends","currency":"EUR","timezone":"Europe/Berlin"}'], capture_output=True, text=True)
    assert call.returncode == 0, call.stderr
    words = arguments(place, "import", place["file"], "--kind", "members")

    def kill(seen):
        rows = [int(count.replace(",", "")) for _, count, _ in WRITING.findall(seen)]
        if server.poll() is None and rows and rows[-1] >= KILLED_AFTER_ROWS:
            server.send_signal(signal.SIGKILL)

    seen, status = at_a_terminal(place, words, kill)
    server.wait()
    assert status == 1 and "rehearsing" in seen and "does not answer" in seen, seen
    seen, status = at_a_terminal(place, words)
    assert status == 0 and "resumed: true" in seen, seen
    before = int(re.search(r"writtenBefore: (\d+)", seen).group(1))
    assert KILLED_AFTER_ROWS <= before < MEMBERS
    assert f"known: {before}" in seen and f"created: {MEMBERS - before}" in seen and f"broke off after {before} rows" in seen
    quiet = subprocess.run([*words, "--json"], env=place["environment"], capture_output=True, text=True, check=True)
    assert quiet.stderr == "", "nobody looks at it, so no line is drawn"
    answer = json.loads(quiet.stdout)
    assert answer["known"] == MEMBERS and answer["created"] == 0 and answer["resumed"] is False
    assert subprocess.run([BINARY, "verify", "--database", place["database"]], env=place["environment"], capture_output=True).returncode == 0
    seen, status = at_a_terminal(place, arguments(place, "export", place["folder"] / "out"))
    assert status == 0 and re.search(r"tables \w+ +\[", seen), seen
