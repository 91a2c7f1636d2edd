"""A machine to try commands on: /etc, /usr/local, /var and the network are its own, everything else is this one's. Nothing of it is left.

systemd isn't there, so `systemctl` is played: it starts what a unit says, as its user, with its settings, in its folder. What the documentation
asks to be built or installed is there already: `swift`, `git` and `apt-get` do nothing, `bin/setup` is the real one.
"""
import os
import pathlib
import re
import shutil
import subprocess

from serving import BINARY, ROOT

OVERLAID = ["/etc", "/usr/local", "/var", "/home"]
COMMAND_SECONDS = 300
PLAYED = {
    "sudo": 'exec "$@"', "swift": "exit 0", "git": "exit 0", "apt-get": "exit 0", "journalctl": 'exec tail -n 50 "$MACHINE/service.log"',
    "systemctl": 'exec python3 "$MACHINE/systemctl.py" "$@"',
}
SYSTEMCTL = '''
import os, pathlib, shlex, signal, subprocess, sys, time
units, running = pathlib.Path("/etc/systemd/system"), pathlib.Path(os.environ["MACHINE"]) / "running"
running.mkdir(exist_ok=True)
words = [word for word in sys.argv[1:] if not word.startswith("-")]
verb, names = words[0], [name if "." in name else name + ".service" for name in words[1:]]


def unit(name):
    fields = {}
    for line in (units / name).read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            key, value = line.split("=", 1)
            fields.setdefault(key, []).append(value)
    return fields


def pid(name):
    file = running / name
    try:
        number = int(file.read_text())
        os.kill(number, 0)
        return number
    except (OSError, ValueError):
        return None


def start(name):
    if name.endswith(".timer") or pid(name):
        return
    fields = unit(name)
    environment = dict(os.environ)
    for line in pathlib.Path(fields["EnvironmentFile"][0]).read_text().splitlines():
        if "=" in line and not line.startswith("#"):
            environment.update([line.split("=", 1)])
    log = open(os.environ["MACHINE"] + "/service.log", "a")
    for command in fields["ExecStart"]:
        process = subprocess.Popen(["runuser", "-u", fields["User"][0], "--", *shlex.split(command.replace("%%", "%"))], cwd=fields["WorkingDirectory"][0],
                                   env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL, umask=int(fields["UMask"][0], 8), start_new_session=True)
        if fields["Type"][0] == "oneshot":
            if process.wait(120):
                sys.exit(f"{name} ended with {process.returncode}")
        else:
            (running / name).write_text(str(process.pid))


def stop(name):
    number = pid(name)
    if number:
        os.killpg(number, signal.SIGTERM)
        for _ in range(600):
            if not pid(name) or pathlib.Path(f"/proc/{number}/stat").read_text().split()[2] == "Z":
                break
            time.sleep(0.05)
        else:
            sys.exit(f"{name} did not stop")
    (running / name).unlink(missing_ok=True)


for name in names:
    (units / name).read_text()
    if verb in ("stop", "restart"):
        stop(name)
    if verb in ("start", "restart") or verb == "enable" and "--now" in sys.argv:
        start(name)
    if verb in ("status", "is-active"):
        print(name, "active" if pid(name) else "inactive")
        if not pid(name):
            sys.exit(3)
'''


def commands_of(page):
    """The blocks of a page that are meant to be run, in order."""
    return re.findall(r"^```sh\n(.*?)^```$", (ROOT / "docs" / page).read_text(), re.M | re.S)


class Machine:
    @staticmethod
    def why_not():
        """Why there can be none here, or None."""
        if os.geteuid() != 0:
            return "only root may lay other folders over /etc: run this test as root"
        tried = subprocess.run(["unshare", "-mn", "true"], capture_output=True, text=True)
        return None if tried.returncode == 0 else f"this machine allows no namespaces: {tried.stderr.strip()}"

    def __init__(self, folder):
        self.folder = folder
        self.clone = folder / "clone"
        (self.clone / ".build/release").mkdir(parents=True)
        (self.clone / "bin").mkdir()
        shutil.copy(BINARY, self.clone / ".build/release/kith")
        for name in ("deploy", "docs", "CHANGELOG.md"):
            (self.clone / name).symlink_to(ROOT / name)
        (self.clone / "bin/setup").write_text(f'#!/bin/sh\nexec {ROOT}/bin/setup "$@"\n')
        (self.clone / "bin/setup").chmod(0o755)
        stage = folder / "played"
        stage.mkdir()
        for name, does in PLAYED.items():
            (stage / name).write_text(f"#!/bin/bash\n{does}\n")
            (stage / name).chmod(0o755)
        (folder / "systemctl.py").write_text(SYSTEMCTL)
        folder.chmod(0o755)
        for parent in [folder, *folder.parents]:
            if os.stat(parent).st_mode & 0o001 == 0:
                parent.chmod(parent.stat().st_mode | 0o011)  # the service's user has to come by here

    def run(self, script):
        """Runs a script on the machine from its clone, and ends everything that it started. Gives what it printed."""
        lines = ["set -euo pipefail", "ip link set lo up || ifconfig lo up"]
        for number, place in enumerate(OVERLAID):
            up, work = self.folder / f"up{number}", self.folder / f"work{number}"
            up.mkdir(exist_ok=True)
            work.mkdir(exist_ok=True)
            up.chmod(0o755)
            lines.append(f"[ ! -d {place} ] || mount -t overlay overlay -o lowerdir={place},upperdir={up},workdir={work} {place}")
        lines += [f"export MACHINE={self.folder}", f'export PATH="{self.folder}/played:/usr/local/sbin:/usr/local/bin:$PATH"', f"cd {self.clone}",
                  "trap '[ ! -e /etc/systemd/system/kith.service ] || systemctl stop kith' EXIT", "set -x", script]
        done = subprocess.run(["unshare", "-mn", "bash", "-c", "\n".join(lines)], capture_output=True, text=True, timeout=COMMAND_SECONDS,
                              env={**{name: value for name, value in os.environ.items() if not name.startswith("KITH_")}, "HOME": str(self.folder)})
        assert done.returncode == 0, f"{done.stdout[-1500:]}\n{done.stderr[-3000:]}\n{self.log()}"
        return done.stdout

    def log(self):
        file = self.folder / "service.log"
        return file.read_text()[-2000:] if file.exists() else ""
