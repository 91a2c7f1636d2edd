"""The units of systemd are well formed, closed as far as they can be, and the program gets by with what they leave it."""
import os
import re
import shutil
import subprocess

import pytest

from serving import BINARY, ROOT, START_SECONDS

DEPLOY = ROOT / "deploy"
# Of 10; 0 is a service that may nothing at all. The unit needs the network and its own folder.
EXPOSURE_MAX = 1.5


@pytest.fixture(scope="module")
def units(tmp_path_factory):
    """The units with the program where it is now."""
    folder = tmp_path_factory.mktemp("units")
    for file in [*DEPLOY.glob("*.service"), *DEPLOY.glob("*.timer")]:
        (folder / file.name).write_text(file.read_text().replace("/usr/local/bin/kith", str(BINARY)))
    return folder


def test_units_are_well_formed(units):
    done = subprocess.run(["systemd-analyze", "verify", *sorted(units.iterdir())], capture_output=True, text=True, timeout=START_SECONDS)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_service_is_closed(units):
    done = subprocess.run(["systemd-analyze", "security", "--offline=yes", "--no-pager", units / "kith.service"], capture_output=True, text=True,
                          timeout=START_SECONDS)
    exposure = float(re.search(r"Overall exposure level for kith.service: ([0-9.]+)", done.stdout)[1])
    print(f"\nunit: exposure {exposure}")
    assert exposure <= EXPOSURE_MAX, done.stdout


def allowed_calls(unit):
    """The system calls that the unit leaves, as systemd's own lists say."""
    listed = subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager"], capture_output=True, text=True, timeout=START_SECONDS).stdout
    groups, current = {}, None
    for line in listed.splitlines():
        if line.startswith("@"):
            current = groups.setdefault(line.strip(), set())
        elif line.startswith("    ") and not line.strip().startswith("#"):
            current.add(line.strip())

    def calls(name):
        return set().union(*(calls(inner) for inner in groups[name])) if name.startswith("@") else {name}

    allowed = set()
    for words in re.findall(r"^SystemCallFilter=(.*)$", unit.read_text(), re.M):
        for name in words.lstrip("~").split():
            allowed = allowed - calls(name) if words.startswith("~") else allowed | calls(name)
    # What every unit may, whatever its list says.
    return allowed | calls("@default")


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed: bin/setup --test brings it")
def test_the_program_gets_by_with_what_the_unit_leaves(tmp_path):
    """Set up, serve, answer, back up, stop: every system call is one that the unit allows."""
    trace = tmp_path / "calls"
    script = f"""
        {BINARY} setup --database sqlite:k.sqlite --workspace Halm --email owner@halm.example --json >made.json
        {BINARY} serve --database sqlite:k.sqlite --port 0 >log 2>&1 & server=$!
        for _ in $(seq 600); do grep -qo 'http://127.0.0.1:[0-9]*' log && break; read -rt 0.1 <> <(:) || true; done
        address=$(grep -o 'http://127.0.0.1:[0-9]*' log | head -1)
        curl -sf "$address/sign-in" >page
        {BINARY} backup b --database sqlite:k.sqlite
        {BINARY} verify --database sqlite:k.sqlite
        kill $server; wait $server
    """
    done = subprocess.run(["strace", "-f", "-qq", "-e", "signal=none", "-o", trace, "bash", "-euc", script], cwd=tmp_path, capture_output=True, text=True,
                          timeout=START_SECONDS * 4)
    assert done.returncode == 0, done.stderr + (tmp_path / "log").read_text()
    # Only the program's own calls: those of bash and curl, which the unit doesn't run, are told by their process.
    own, found = set(), set()
    for line in trace.read_text(errors="replace").splitlines():
        process, call = line.split(maxsplit=1)
        if call.startswith("execve("):
            own.add(process) if f'"{BINARY}"' in call and "= 0" in call else own.discard(process)
        elif process in own:
            if child := re.match(r"(?:<\.\.\. )?(?:clone3?|v?fork)\b.*= (\d+)$", call):
                own.add(child[1])
            if name := re.match(r"(\w+)\(", call):
                found.add(name[1])
    assert {"openat", "fsync"} <= found or {"openat", "fdatasync"} <= found, sorted(found)
    if os.geteuid() == 0:
        found -= {"fchown"}  # SQLite gives its files to the owner of the database, but only as root, which the service isn't
    refused = found - allowed_calls(DEPLOY / "kith.service")
    print(f"\nunit: {len(found)} kinds of system calls, none refused" if not refused else "")
    assert not refused, sorted(refused)


def test_settings_of_the_service_are_known():
    """Every setting in the example is one that the program reads."""
    known = set(re.findall(r'\("(KITH_\w+)",', (ROOT / "Sources/App/Settings.swift").read_text()))
    named = set(re.findall(r"^#? ?(KITH_\w+)=", (DEPLOY / "kith.env").read_text(), re.M))
    assert named and named <= known, named - known
    told = (ROOT / "docs/operations.md").read_text()
    assert not [name for name in known if f"`{name}`" not in told]


# As systemd's EnvironmentFile= reads them (systemd.exec(5)): no shell, quotes and backslashes only as written there.
SETTINGS = [
    ("postgres://kith:pa$$word@db.example/kith?host=/run/postgresql&sslmode=require", None),
    ("postgres://u:a$HOME`id`$(id)@h/d", None),
    ("sqlite:/var/lib/kith/a b.sqlite   ", "sqlite:/var/lib/kith/a b.sqlite"),
    ('"sqlite:/var/lib/kith/a b.sqlite"', "sqlite:/var/lib/kith/a b.sqlite"),
    ("'sqlite:it is \"here\" \\n $x'", 'sqlite:it is "here" \\n $x'),
    ('"sqlite:\\"q\\" \\$x \\n"', 'sqlite:"q" $x \\n'),
    ("sqlite:it's", "sqlite:it's"),
    ("sqlite:a;b#c|d<e>f(g)*?!", None),
    ("sqlite:a\\\nb", "sqlite:ab"),
    ("  sqlite:c", "sqlite:c"),
    ('"sqlite:a"\'b\'', "sqlite:ab"),
]


@pytest.fixture
def as_service(tmp_path):
    """`kith-as-service` with a program that says what it was given, and settings of one's own."""
    for name in ("played", "home"):
        (tmp_path / name).mkdir()
    (tmp_path / "played/runuser").write_text('#!/bin/sh\nshift 3\nexec "$@"\n')
    (tmp_path / "played/kith").write_text("#!/bin/sh\nenv -0 >\"$0.said\"\necho \"$@\"\n")
    script = (DEPLOY / "kith-as-service").read_text().replace("/etc/kith/kith.env", str(tmp_path / "kith.env"))
    script = script.replace("/usr/local/bin/kith", str(tmp_path / "played/kith")).replace("/var/lib/kith", str(tmp_path / "home"))
    (tmp_path / "played/kith-as-service").write_text(script)
    for file in (tmp_path / "played").iterdir():
        file.chmod(0o755)

    def run(settings, *words, **environment):
        (tmp_path / "kith.env").write_text(settings)
        said = tmp_path / "played/kith.said"
        said.unlink(missing_ok=True)
        done = subprocess.run([tmp_path / "played/kith-as-service", *words], capture_output=True, text=True, timeout=START_SECONDS,
                              env={"PATH": f"{tmp_path}/played:{os.environ['PATH']}", **environment})
        return done, dict(line.split("=", 1) for line in said.read_text().split("\0") if line) if said.exists() else None

    return run


@pytest.mark.parametrize("written, meant", SETTINGS)
def test_settings_are_read_as_the_service_reads_them(as_service, written, meant):
    done, given = as_service(f"# a comment & $HOME \\ `id`\n; another\n\nKITH_DATABASE={written}\n KITH_HOST = ::1\nno assignment\nbad-name=1\n"
                             "KITH_PORT=8081", "verify", "--json")
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "verify --json\n")
    assert given["KITH_DATABASE"] == (written if meant is None else meant)
    assert (given["KITH_HOST"], given["KITH_PORT"]) == ("::1", "8081") and "bad-name" not in given


@pytest.mark.parametrize("settings", ["", "# KITH_DATABASE=sqlite:k\n", "KITH_DATABASE=\n", "KITH_DATABASE=''\n", "KITH_HOST=::1\n"])
def test_without_a_database_nothing_is_done(as_service, settings):
    """Not on another, new database: also not on one that the caller has set."""
    done, given = as_service(settings, "backup", "b", KITH_DATABASE="sqlite:other", KITH_PORT="1")
    assert done.returncode == 1 and given is None and "KITH_DATABASE" in done.stderr


def test_what_versions_of_systemd_read_differently_is_refused(as_service):
    done, given = as_service("# a comment \\\nKITH_DATABASE=sqlite:k\n", "verify")
    assert done.returncode == 1 and given is None and "backslash" in done.stderr


def test_the_example_of_the_settings_is_read(as_service):
    done, given = as_service((DEPLOY / "kith.env").read_text(), "verify", KITH_LOG_LEVEL="debug")
    assert done.returncode == 0 and given["KITH_DATABASE"] == "sqlite:/var/lib/kith/kith.sqlite" and "KITH_LOG_LEVEL" not in given
