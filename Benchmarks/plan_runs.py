"""The lines run.* of `make bench`: a commission run over seven levels with ranks, compression and group volume."""
import os
import re
import resource
import statistics
import subprocess
import time

import plan_peers


def totals(options, root, show):
    """The engine alone on facts in memory, with 1 and 2 threads, with and without its lines."""
    found = {}
    for name, words in {"totals.1": "1", "totals.2": "2", "lines.1": "1 lines"}.items():
        times, total = engine(options, root, f"{options.plan_members} {options.plan_orders} {words}")
        # The first round makes memory known to the process.
        found[name] = statistics.median(times[1:] or times)
        found["total"] = total
    show("run.totals", found["totals.1"], "ms", "<= 0.1 x DuckDB", f"total {found['total']}, two threads {found['totals.2']} ms")
    show("run.lines", found["lines.1"], "ms", "<= 0.25 x DuckDB's totals")
    return found


def files(options, root, folder, show, psql=None):
    """CSV to CSV with the whole command, beside DuckDB and PostgreSQL on the same files."""
    facts = folder / "facts"
    subprocess.run([bench_binary(options, root), str(options.plan_members), str(options.plan_orders), "csv", str(facts)], check=True, capture_output=True)
    ours, reading, computing, writing, memory = [], [], [], [], 0
    for number in range(options.rounds):
        seconds, memory = command(options, facts, folder / "out")
        ours.append(seconds)
        parts = plan_peers.duckdb_run(str(facts), str(folder / "duckdb.csv"), threads=2)
        reading.append(parts[0]); computing.append(parts[1]); writing.append(parts[2])
    total = plan_peers_total(folder / "out/summary.json")
    theirs = statistics.median(a + b + c for a, b, c in zip(reading, computing, writing))
    differing = plan_peers.same_statements(str(folder / "out/statements.csv"), str(folder / "duckdb.csv"))
    agrees = "the same to the cent" if total == parts[3] and differing == 0 else f"DIFFERENT: total {parts[3]} against {total}, {differing} members"
    show("run.files", f"{statistics.median(ours):.2f}", "s", "< peer",
         f"DuckDB {theirs:.2f} s ({statistics.median(reading):.2f} reading, {statistics.median(computing):.2f} computing, {statistics.median(writing):.2f} writing), {agrees}")
    show("run.files.memory", f"{memory:.0f}", "MB", "-")
    if psql:
        read, computed, other = plan_peers.postgres_run(str(facts), psql)
        agrees = "the same total" if other == total else f"DIFFERENT: total {other}"
        show("run.postgres", f"{read + computed:.1f}", "s", "-", f"PostgreSQL: {read:.1f} reading, {computed:.1f} computing, {agrees}")
    return statistics.median(computing)


def shapes(options, root, show):
    """A chain and a star, with every bonus that walks up."""
    for shape in ["chain", "star"]:
        times, total = engine(options, root, f"{options.plan_members} {options.plan_members} 1 {shape}")
        show(f"run.{shape}", times[0], "ms", "passes", f"ten bonuses, total {total}")


def large(options, root, show):
    """Ten times as many of both, once."""
    began = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    times, total = engine(options, root, f"{options.plan_members * 10} {options.plan_orders * 10} 2 once")
    memory = max(began, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1024
    show("run.large", times[0], "ms", "<= 3000 with 10 M members", f"total {total}, at most {memory:.0f} MB with the facts being made")


def engine(options, root, words):
    answer = subprocess.run([bench_binary(options, root), *words.split()], check=True, capture_output=True, text=True).stdout
    rounds = re.findall(r"round \d+: (\d+) ms, lines \d+, total (\d+)", answer)
    return [int(time) for time, _ in rounds], int(rounds[0][1])


def bench_binary(options, root):
    return str(root / f"Engine/.build/{options.build}/compensation-bench")


def command(options, facts, out):
    """Seconds of `kith plan compute`, and its largest memory in MB."""
    began = time.perf_counter()
    child = subprocess.Popen([options.kith, "plan", "compute", "--plan", str(facts / "plan.yaml"), "--members", str(facts / "members.csv"),
                              "--orders", str(facts / "orders.csv"), "--lines", "none", "--out", str(out)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    if status != 0:
        raise RuntimeError(f"kith plan compute ended with {status}")
    return time.perf_counter() - began, used.ru_maxrss / 1024


def plan_peers_total(summary):
    import json
    return json.load(open(summary))["total"]
