#!/usr/bin/env python3
"""Prints `bench NAME VALUE UNIT (bar BAR, peer PEER)`, one line per figure. Peers run in turn with Kith; figures are medians. Never fails on a time.

usage: bench.py [--quick] [--links N] [--sales N] [--seconds N] [--rounds N] [--only NAME,…] [--build release|debug]
"""
import argparse
import datetime
import os
import pathlib
import platform
import shutil
import statistics
import struct
import subprocess
import tempfile
import time

import clv_peer
import fill
import peers
import plan_runs
from running import Kith

ROOT = pathlib.Path(__file__).resolve().parent.parent
SCHEMA = ROOT / "Sources/App/Schema/0002-ledger.sql"
BATCH_TRANSFERS = 8_190
SALES_PER_COMMIT = 100
SALE_CODES = 20
NAMES = ["redirect", "sale.sqlite", "sale.postgres", "ledger.post", "start", "idle.memory", "run", "run.large", "clv.fit"]


def main():
    options = read_options()
    tell_machine(options)
    with tempfile.TemporaryDirectory(prefix="kith-bench-", dir=options.folder) as folder:
        folder = pathlib.Path(folder)
        raw, recorder = peers.compiled(folder)
        for name, measure in {
            "ledger.post": lambda: ledger_post(options, folder, raw),
            "idle.memory": lambda: idle_memory(options, folder),
            "redirect": lambda: redirects(options, folder),
            "sale.sqlite": lambda: sale_sqlite(options, folder, raw, recorder),
            "sale.postgres": lambda: sale_postgres(options, folder),
            "run": lambda: commission_run(options, folder),
            "run.large": lambda: plan_runs.large(options, ROOT, show),
            "clv.fit": lambda: clv_peer.fit(options, ROOT, folder, show),
        }.items():
            if not options.only or name in options.only:
                try:
                    measure()
                except Exception as failure:
                    print(f"bench {name} none - (bar -, peer -): {type(failure).__name__}: {failure}", flush=True)
    print(f"# load at the end {os.getloadavg()[0]:.1f}")


def read_options():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="50,000 links, 20,000 earlier sales, 3 s a measurement")
    parser.add_argument("--links", type=int)
    parser.add_argument("--sales", type=int)
    parser.add_argument("--seconds", type=int)
    parser.add_argument("--plan-members", type=int, help="members of the commission run; five times as many orders")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", type=lambda text: text.split(","), default=[])
    parser.add_argument("--build", default="release")
    parser.add_argument("--kith", default=None)
    parser.add_argument("--folder", default=None, help="a folder on the disk that is to be measured")
    options = parser.parse_args()
    options.plan_members = options.plan_members or (100_000 if options.quick else 1_000_000)
    options.plan_orders = options.plan_members * 5
    options.links = options.links or (50_000 if options.quick else 1_000_000)
    options.sales = options.sales or (20_000 if options.quick else 1_000_000)
    options.seconds = min(15, options.seconds or (3 if options.quick else 8))
    options.kith = options.kith or str(ROOT / f".build/{options.build}/kith")
    return options


def tell_machine(options):
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    memory = int(next(line.split()[1] for line in open("/proc/meminfo") if line.startswith("MemTotal"))) // 1024 // 1024
    print(f"# {datetime.date.today()}, {os.cpu_count()} cores ({model}), {memory} GiB, {platform.system()} {platform.release()}, build {options.build}")
    print(f"# {options.links:,} links, {options.sales:,} earlier sales, {options.rounds} rounds of {options.seconds} s, load before {os.getloadavg()[0]:.1f}", flush=True)


def show(name, value, unit, bar, peer="-"):
    print(f"bench {name} {value} {unit} (bar {bar}, peer {peer})", flush=True)


def compare(name, ours, theirs, unit, bar, peer):
    """A median of each, and what ours is as a share of theirs."""
    our, their = statistics.median(ours), statistics.median(theirs)
    spread = f"ours {min(ours):,.0f}…{max(ours):,.0f}, theirs {min(theirs):,.0f}…{max(theirs):,.0f}"
    show(name, f"{our:.0f}", unit, bar, f"{peer} {their:,.0f} {unit}, ratio {our / their:.2f}, {spread}")


def warn_of_failures(name, failures):
    if failures:
        print(f"# {name}: {failures} requests were refused or failed", flush=True)


# Redirects, start and memory: one file with many links.

def redirects(options, folder):
    kith = Kith(options.kith, f"sqlite:{folder}/links.sqlite", folder, "links")
    with kith.running():
        program, _, members = kith.program(referrers=1)
    fill.fill_links(f"{folder}/links.sqlite", kith.workspace, program, members[0], options.links, int(time.time() * 1000))
    starts = []
    for _ in range(options.rounds):
        with kith.running():
            starts.append(kith.start_s * 1000)
    show("start", f"{statistics.median(starts):.0f}", "ms", f"<= 1000 with 1 M links")

    nginx = peers.Nginx(folder)
    try:
        for name, durability, connections, bar in [
            ("redirect.first", "after", 256, ">= 0.50 x peer"), ("redirect.durable", "wait", 1024, ">= 0.40 x peer and p99 < 40 ms"),
        ]:
            ours, theirs, tails, failures = [], [], [], 0
            with kith.running(KITH_CLICK_DURABILITY=durability):
                peers.Load("redirect.lua", kith.port, connections, 1, LINKS=options.links)
                for _ in range(options.rounds):
                    load = peers.Load("redirect.lua", nginx.port, connections, options.seconds, LINKS=options.links)
                    theirs.append(load.per_second)
                    warn_of_failures("nginx", load.failures)
                    load = peers.Load("redirect.lua", kith.port, connections, options.seconds, LINKS=options.links)
                    ours.append(load.per_second)
                    tails.append(load.p99_ms)
                    failures += load.failures
                memory = kith.memory_mb()
            compare(name, ours, theirs, "req/s", bar, "nginx return 302")
            show(f"{name}.p99", f"{statistics.median(tails):.1f}", "ms", "< 40" if durability == "wait" else "-")
            show(f"redirect.memory.{durability}", f"{memory:.0f}", "MB", "<= 250 with 1 M links")
            warn_of_failures(name, failures)
    finally:
        nginx.stop()


def idle_memory(options, folder):
    kith = Kith(options.kith, f"sqlite:{folder}/idle.sqlite", folder, "idle")
    demo = kith.try_command("demo")
    with kith.running():
        time.sleep(3)
        memory = kith.memory_mb()
    show("idle.memory", f"{memory:.0f}", "MB", "<= 100", "-" if demo else "- (an empty workspace: there is no demo yet)")


# Sales.

def sale_sqlite(options, folder, raw, recorder):
    path = folder / "sales.sqlite"
    kith = Kith(options.kith, f"sqlite:{path}", folder, "sales")
    with kith.running():
        program, rules, members = kith.program(referrers=SALE_CODES)
    fill.fill_sales(str(path), kith.workspace, program, rules[0], members[0], options.sales, int(time.time() * 1000))
    copy = folder / "raw.sqlite"
    for ending in ["", ".keys"]:
        shutil.copyfile(f"{path}{ending}", f"{copy}{ending}")

    recorded = folder / "statements"
    with kith.running(LD_PRELOAD=str(recorder), RECORD_DATABASE=str(path), RECORD_FILE=str(recorded)):
        load = sale_load(kith, "r", 256, options.seconds)
    warn_of_failures("sale.sqlite, while recording", load.failures)

    with kith.running():
        sale_load(kith, "w", 256, 1)
        ours, theirs, tails, failures, refused = [], [], [], 0, 0
        statements_per_sale = statements_of_a_sale(recorded)
        for number in range(options.rounds):
            statements, seconds, bad = peers.raw_replay(
                raw, copy, recorded, round(SALES_PER_COMMIT * statements_per_sale), number, options.rounds)
            theirs.append(statements / statements_per_sale / seconds)
            refused += bad
            load = sale_load(kith, f"s{number}", 256, options.seconds)
            ours.append(load.per_second)
            tails.append(load.p99_ms)
            failures += load.failures
    compare("sale.sqlite", ours, theirs, "sales/s", ">= 0.5 x peer, stretch 10000", f"SQLite in C, the same {statements_per_sale:.0f} statements a sale,")
    show("sale.sqlite.p99", f"{statistics.median(tails):.0f}", "ms", "-")
    warn_of_failures("sale.sqlite", failures)
    if refused:
        print(f"# {refused} statements were refused when they were replayed")


def statements_of_a_sale(recorded):
    """How many statements the list holds for each sale in it. Those of requests that wrk no longer counted are in it too."""
    data = recorded.read_bytes()
    place = statements = sales = template_count = 0
    sale_templates = set()
    while place < len(data):
        if data[place] == ord("P"):
            length = struct.unpack_from("<I", data, place + 1)[0]
            if data[place + 5:place + 5 + length].startswith(b"INSERT INTO sale "):
                sale_templates.add(template_count)
            template_count += 1
            place += 5 + length
            continue
        template, values = struct.unpack_from("<II", data, place + 1)
        statements += 1
        sales += template in sale_templates
        place += 9
        for _ in range(values):
            place += 5 + struct.unpack_from("<I", data, place + 1)[0]
    return statements / max(1, sales)


def sale_postgres(options, folder):
    postgres = peers.Postgres(ROOT, folder)
    try:
        kith = Kith(options.kith, postgres.url, folder, "postgres")
        ours, theirs, tails, failures = [], [], [], 0
        with kith.running():
            kith.program(referrers=SALE_CODES)
            sale_load(kith, "w", 64, 1)
            for number in range(options.rounds):
                theirs.append(postgres.tpcb(64, options.seconds))
                load = sale_load(kith, f"s{number}", 64, options.seconds)
                ours.append(load.per_second)
                tails.append(load.p99_ms)
                failures += load.failures
        compare("sale.postgres", ours, theirs, "sales/s", ">= 1.5 x peer, stretch 3", "pgbench TPC-B-like, 64 clients,")
        show("sale.postgres.p99", f"{statistics.median(tails):.0f}", "ms", "-")
        warn_of_failures("sale.postgres", failures)
    finally:
        postgres.stop()


def sale_load(kith, word, connections, seconds):
    return peers.Load("sale.lua", kith.port, connections, seconds, KEY=kith.made["secretKey"], ROUND=word, CODES=SALE_CODES)


# The ledger.

def ledger_post(options, folder, raw):
    tool = ROOT / f".build/{options.build}/ledger-post"
    batches = 5 if options.quick else 20
    ours, theirs = [], []
    for number in range(options.rounds):
        theirs.append(peers.raw_ledger(raw, folder / f"raw-{number}.sqlite", SCHEMA, batches, BATCH_TRANSFERS))
        done = subprocess.run(
            [tool, str(folder / f"ledger-{number}.sqlite"), SCHEMA, str(batches), str(BATCH_TRANSFERS)], capture_output=True, text=True, timeout=120)
        if done.returncode != 0:
            raise RuntimeError(done.stderr.strip())
        count, seconds = done.stdout.split()
        ours.append(int(count) / float(seconds))
    compare("ledger.post", ours, theirs, "transfers/s", ">= 0.6 x peer", "SQLite in C")


# Commission runs.

def commission_run(options, folder):
    plan_runs.totals(options, ROOT, show)
    postgres = peers.Postgres(ROOT, folder)
    try:
        plan_runs.files(options, ROOT, folder, show, ["psql", "-h", postgres.socket, "-U", "postgres", "kith"])
    finally:
        postgres.stop()
    plan_runs.shapes(options, ROOT, show)


main()
