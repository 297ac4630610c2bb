#!/usr/bin/env python3
"""Measures what rules and actions add to the code flow: the same logins with no script, and with some of them."""

import argparse
import json
import os
import statistics
import sys
from dataclasses import dataclass, field
from pathlib import Path

import report
from building import BenchmarkError
from database import DATABASES, database_names
from run import Benchmark, Records
from scenarios import CODE
from server import TENANT

RULE = """function (user, context, callback) {
  context.accessToken['https://example.test/plan'] = user.email.length > 5 ? 'gold' : 'free';
  context.idToken['https://example.test/logins'] = context.stats.loginsCount;
  callback(null, user, context);
}
"""
ACTION = """exports.onExecutePostLogin = async (event, api) => {
  api.accessToken.setCustomClaim('https://example.test/number-NUMBER', event.user.email);
  api.idToken.setCustomClaim('https://example.test/client-NUMBER', event.client.name);
};
"""
# A warm action adds at most so much, at one connection a core.
ADDED_MS = {"p50": 1.0, "p99": 10.0}


@dataclass
class Variant:
    """A tenant with so many scripts, its server, and what was measured on it, round by round."""

    name: str
    rules: int
    actions: int
    rounds: list[dict] = field(default_factory=list)
    benchmark: Benchmark | None = None

    def tenant(self) -> str:
        """The benchmark's tenant with the scripts. JSON is YAML."""
        names = [f"Action {number}" for number in range(1, self.actions + 1)]
        sections = {
            "rules": [
                {"name": f"Rule {number}", "script": RULE, "order": number, "enabled": True, "stage": "login_success"}
                for number in range(1, self.rules + 1)],
            "actions": [
                {"name": name, "code": ACTION.replace("NUMBER", str(number)), "runtime": "node22", "deployed": True,
                 "supported_triggers": [{"id": "post-login", "version": "v3"}]}
                for number, name in enumerate(names)],
            "triggers": {"post-login": [{"action_name": name, "display_name": name} for name in names]},
        }
        return TENANT.read_text() + "".join(f"{name}: {json.dumps(value)}\n" for name, value in sections.items())

    def start(self, options: argparse.Namespace, records: Records, database) -> None:
        self.benchmark = Benchmark(options, records, database)
        server = self.benchmark.server
        emails = server.prepare(options.connections)
        file = server.folder / "scripts.yaml"
        file.write_text(self.tenant())
        server.command("apply", "--yes", str(file))
        server.start()
        self.benchmark.log_in(emails, options.connections)

    def measure(self, options: argparse.Namespace) -> None:
        result, _ = self.benchmark.drive(
            CODE, options.connections, self.benchmark.sessions, "-d", str(options.seconds))
        if result["failed"] or not result["operations"]:
            raise BenchmarkError(f"{self.name}: {result['failed']} of {result['operations']} operations failed")
        self.rounds.append(result)

    def latency(self, percentile: str, number: int) -> float:
        """Milliseconds in a round."""
        return self.rounds[number]["latency_us"][percentile] / 1000

    def workers(self) -> list[float]:
        """What each worker process has to itself, in megabytes."""
        return [private_kib(child) / 1024 for child in children(self.benchmark.server.process.pid)]


VARIANTS = [Variant("no script", 0, 0), Variant("one rule", 1, 0), Variant("one action", 0, 1), Variant("three actions", 0, 3)]


def children(parent: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == parent:
                found.append(int(entry.name))
    return found


def private_kib(pid: int) -> int:
    """Resident memory that no other process shares; what the kernel does not tell counts as all of it."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith("Private_"))
    except OSError:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


def measure_database(options: argparse.Namespace, records: Records, name: str) -> None:
    """Prints one database's part. The variants take turns, so that all see the same machine."""
    database = DATABASES[name]()
    report.print_database(database.title)
    started = []
    try:
        for variant in VARIANTS:
            variant.rounds.clear()
            variant.start(options, records, database)
            started.append(variant)
        for _ in range(options.rounds):
            for variant in VARIANTS:
                variant.measure(options)
        print_result(records, database.name)
    finally:
        for variant in started:
            variant.benchmark.server.remove()
        database.stop()


def quietest_round() -> int:
    """The one in which all variants together were fastest: nothing else ran on the machine then, or least."""
    return min(
        range(len(VARIANTS[0].rounds)),
        key=lambda number: sum(variant.latency("p50", number) for variant in VARIANTS))


def print_result(records: Records, database: str) -> None:
    """The differences are those within each round: what else the machine did is in both of their sides."""
    base, count = VARIANTS[0], len(VARIANTS[0].rounds)
    quietest = quietest_round()
    row = "{:<16}{:>10}{:>10}{:>10}{:>10}{:>10}{:>12}{:>12}  {}"
    print(row.format(
        "", "", "", "", "added", "median", "added in", "quietest", ""))
    print(row.format(
        "scripts", "logins/s", "p50 ms", "p99 ms", "p50 ms", "p99 ms", "p50 ms", "p99 ms", "workers, MB"))
    for variant in VARIANTS:
        added = {
            percentile: [variant.latency(percentile, number) - base.latency(percentile, number) for number in range(count)]
            for percentile in ADDED_MS}
        per_second = statistics.median(result["per_second"] for result in variant.rounds)
        medians = [statistics.median(variant.latency(name, number) for number in range(count)) for name in ADDED_MS]
        workers = variant.workers()
        print(row.format(
            variant.name, f"{per_second:,.0f}", *(f"{value:.2f}" for value in medians),
            *(f"{statistics.median(values):+.2f}" for values in added.values()),
            *(f"{values[quietest]:+.2f}" for values in added.values()),
            " ".join(f"{size:.0f}" for size in workers) or "none"))
        records.record(
            "scripts", database=database, variant=variant.name, per_second=per_second, added_ms=added,
            quietest=quietest, workers_mb=workers, rounds=variant.rounds)
        if variant.name != "one action":
            continue
        verdicts = []
        for percentile, wanted in ADDED_MS.items():
            median, quiet = statistics.median(added[percentile]), added[percentile][quietest]
            verdict = "met" if median <= wanted else "met in the quietest round" if quiet <= wanted else "MISSED"
            verdicts.append(
                f"target: one warm action adds {median:.2f} ms at {percentile} (wanted ≤ {wanted:g}): {verdict}")
    print(*verdicts, sep="\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--portico", default=".build/release/portico", help="the program (default: %(default)s)")
    parser.add_argument("--database", choices=[*DATABASES, "both"], default="sqlite", help="default: %(default)s")
    parser.add_argument("--seconds", type=float, default=3, help="of each measurement (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=7, help="measurements of each variant (default: %(default)s)")
    parser.add_argument(
        "--connections", type=int, default=max(1, (os.cpu_count() or 2) // 2),
        help="logins at a time (default: one for every two cores, a moderate load)")
    parser.add_argument("--json", help="append every figure to this file, one JSON object a line")
    options = parser.parse_args()
    sys.stdout.reconfigure(line_buffering=True)
    try:
        records = Records(options.json)
        for name in database_names(options.database):
            measure_database(options, records, name)
        return 0
    except BenchmarkError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
