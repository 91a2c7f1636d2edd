"""The line clv.fit of `make bench`: BG/NBD and Gamma-Gamma fitted to simulated customers, and in turn by the Python package lifetimes."""
import csv
import re
import statistics
import subprocess
import time
import warnings

CUSTOMERS = 100_000
QUICK_CUSTOMERS = 20_000
PARAMETERS = ["r", "alpha", "a", "b", "p", "q", "v"]


def fit(options, root, folder, show):
    customers = QUICK_CUSTOMERS if options.quick else CUSTOMERS
    binary = str(root / f"Engine/.build/{options.build}/clv-bench")
    rows = list(csv.DictReader(run(binary, customers, "csv").splitlines()))
    ours, foretelling, theirs, reference = [], [], [], {}
    for _ in range(options.rounds):
        line = run(binary, customers, "rounds", "1")
        found = re.search(r"fit (\d+) ms \(values \d+\) in \d+ and \d+ steps, foretell (\d+) ms", line)
        ours.append(int(found[1])); foretelling.append(int(found[2]))
        seconds, reference = lifetimes_fit(rows)
        theirs.append(seconds * 1000)
    parameters = {name: float(re.search(rf" {name} ([-\d.e]+)", line)[1]) for name in PARAMETERS}
    apart = max(abs(parameters[name] / reference[name] - 1) for name in PARAMETERS)
    our, their = statistics.median(ours), statistics.median(theirs)
    agrees = f"parameters within {apart:.1e} of each other" if apart < 1e-2 else f"DIFFERENT by {apart:.1e}: {parameters} against {reference}"
    show("clv.fit", f"{our:.0f}", "ms", f"<= 5000 with 100 k customers and <= 0.1 x peer",
         f"lifetimes 0.11.3 {their:,.0f} ms, {their / our:.0f} times as long, {customers:,} customers, {agrees}")
    show("clv.foretell", f"{statistics.median(foretelling):.0f}", "ms", "-", "expected purchases and value of each customer")


def run(binary, customers, *words):
    return subprocess.run([binary, str(customers), *words], check=True, capture_output=True, text=True).stdout


def lifetimes_fit(rows):
    """Seconds of both fits (the fastest way it has: rows that are alike counted, as its documentation advises) and the parameters."""
    warnings.filterwarnings("ignore")
    import pandas
    from lifetimes import BetaGeoFitter, GammaGammaFitter
    data = pandas.DataFrame(rows).astype(float)
    began = time.perf_counter()
    alike = data.groupby(["frequency", "recency", "age"]).size().reset_index(name="weights")
    purchases = BetaGeoFitter().fit(alike["frequency"], alike["recency"], alike["age"], weights=alike["weights"])
    again = data[(data["frequency"] > 0) & (data["averageValue"] > 0)]
    values = GammaGammaFitter().fit(again["frequency"], again["averageValue"])
    seconds = time.perf_counter() - began
    return seconds, {**purchases.params_, **values.params_}
