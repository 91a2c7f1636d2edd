"""What Kith is measured against, in the same run: nginx, SQLite from C, pgbench. And the load generator."""
import os
import pathlib
import re
import socket
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Nginx:
    """Answers every request with one constant redirect; looks nothing up and writes nothing."""

    def __init__(self, folder):
        self.port = free_port()
        configuration = folder / "nginx.conf"
        configuration.write_text(f"""
            worker_processes 2; daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log crit;
            events {{ worker_connections 4096; }}
            http {{
              access_log off; keepalive_requests 100000000;
              client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
              server {{ listen 127.0.0.1:{self.port} backlog=4096; location / {{ return 302 https://shop.example.com/products/1; }} }}
            }}""")
        self.process = subprocess.Popen(["nginx", "-c", str(configuration), "-p", str(folder)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.3)

    def stop(self):
        self.process.terminate()
        self.process.wait(10)


class Load:
    """One run of wrk."""

    def __init__(self, script, port, connections, seconds, **environment):
        done = subprocess.run(
            ["wrk", "-t2", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "--latency", "-s", str(HERE / script), f"http://127.0.0.1:{port}"],
            env={**os.environ, **{name: str(value) for name, value in environment.items()}}, capture_output=True, text=True, timeout=seconds + 30)
        text = done.stdout
        found = re.search(r"Requests/sec:\s+([\d.]+)", text)
        if not found:
            raise RuntimeError(f"wrk said: {text}{done.stderr}")
        self.per_second = float(found[1])
        self.requests = int(re.search(r"(\d+) requests in", text)[1])
        self.p99_ms = milliseconds(re.search(r"99%\s+([\d.]+\w+)", text)[1])
        refused = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
        errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
        self.failures = (int(refused[1]) if refused else 0) + (sum(map(int, errors.groups())) if errors else 0)


def milliseconds(text):
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text).groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60_000}[unit]


def compiled(folder):
    """The C programs, compiled now."""
    raw, recorder = folder / "raw_sqlite", folder / "record_statements.so"
    subprocess.run(["gcc", "-O2", "-o", raw, HERE / "raw_sqlite.c", "-lsqlite3"], check=True)
    subprocess.run(["gcc", "-O2", "-shared", "-fPIC", "-o", recorder, HERE / "record_statements.c", "-ldl", "-lpthread", "-lsqlite3"], check=True)
    return raw, recorder


def raw_replay(raw, database, recorded, per_commit, part, parts):
    """Statements a second of one part of a recorded list, and how many were refused."""
    done = subprocess.run(
        [raw, "replay", database, recorded, str(per_commit), str(part), str(parts)], capture_output=True, text=True, check=True, timeout=120)
    statements, _, refused, seconds = done.stdout.split()
    return int(statements), float(seconds), int(refused)


def raw_ledger(raw, file, schema, batches, transfers):
    done = subprocess.run([raw, "ledger", file, schema, str(batches), str(transfers)], capture_output=True, text=True, check=True, timeout=120)
    count, seconds = done.stdout.split()
    return int(count) / float(seconds)


class Postgres:
    """The throwaway server of bin/postgres, with fsync on."""

    def __init__(self, root, folder):
        self.tool = root / "bin/postgres"
        self.environment = {**os.environ, "KITH_POSTGRES_DIR": f"/tmp/kith-bench-postgres-{os.getpid()}"}
        line = subprocess.run([self.tool, "start", "--fsync", "on"], env=self.environment, capture_output=True, text=True, check=True).stdout
        self.socket = line.strip().split("host=")[1]
        for name in ["kith", "pgbench"]:
            subprocess.run(["createdb", "-h", self.socket, "-U", "postgres", name], check=True)
        subprocess.run(["pgbench", "-h", self.socket, "-U", "postgres", "-i", "-q", "-s", "10", "pgbench"], check=True, capture_output=True)
        self.url = f"postgres://postgres@/kith?host={self.socket}"

    def tpcb(self, clients, seconds):
        done = subprocess.run(
            ["pgbench", "-h", self.socket, "-U", "postgres", "-n", "-c", str(clients), "-j", "2", "-T", str(seconds), "pgbench"],
            capture_output=True, text=True, check=True, timeout=seconds + 60)
        return float(re.search(r"tps = ([\d.]+)", done.stdout)[1])

    def stop(self):
        subprocess.run([self.tool, "stop"], env=self.environment, capture_output=True)
