#!/usr/bin/env python3
"""Measures Portico's throughput, latency, processor time, memory and start. README.md explains the figures."""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

import report
from building import BUILD_FOLDER, BenchmarkError, build
from database import DATABASES, PostgreSQL, SQLite, Usage, database_names
from scenarios import CODE, SCENARIOS, SET_UP, Scenario
from server import PASSWORD, Server

STARTS = 5
IDLE_SECONDS = 2.0
LOGINS_AT_ONCE = 4
CALIBRATION_SECONDS = 0.2
PGBENCH_SECONDS = 2


class Records:
    """The lines of --json."""

    def __init__(self, path: str | None):
        self.file = open(path, "a") if path else None

    def record(self, kind: str, **values) -> dict:
        line = {"kind": kind, **values}
        if self.file:
            print(json.dumps(line), file=self.file, flush=True)
        return line


def measure_limits(*names: str, seconds: float = 1.0) -> dict[str, dict]:
    """This machine's limits by name, as `limits` prints them."""
    command = [build("limits"), "-t", str(seconds), "-d", BUILD_FOLDER, *names]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode:
        raise BenchmarkError(result.stderr)
    return {line["limit"]: line for line in map(json.loads, result.stdout.splitlines())}


class Benchmark:
    """The measurements on one database: a server and its logged-in virtual users."""

    def __init__(self, options: argparse.Namespace, records: Records, database: SQLite | PostgreSQL):
        self.options = options
        self.records = records
        self.database = database
        self.driver = build("oidcload")
        self.server = Server(options.portico, database)
        self.sessions = self.server.folder / "sessions.tsv"
        self.commit_limits: dict[int, float] = {}  # commits a second by number of clients

    def record(self, kind: str, **values) -> dict:
        return self.records.record(kind, database=self.database.name, **values)

    def drive(self, text: str, connections: int, users: Path, *options: str) -> tuple[dict, Usage]:
        """Runs oidcload, whose complaints about failed steps go to standard error. Returns its figures, and what the
        database has used after the warm-up."""
        scenario = self.server.folder / "scenario.txt"
        scenario.write_text(text)
        command = [self.driver, "-a", self.server.address, "-s", scenario, "-u", users, "-c", str(connections)]
        command += ["-p", str(self.server.process.pid), *options]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as driver:
            output = driver.stdout.readline()
            before = self.database.usage()
            output += driver.stdout.read()
        used = self.database.usage() - before
        if driver.returncode > 1 or not output:
            raise BenchmarkError(f"oidcload ended with {driver.returncode}\n{self.server.log_tail()}")
        return json.loads(output), used

    def measure_start(self) -> dict:
        """Starts the server several times on the same data and leaves the last one running."""
        times = []
        for _ in range(STARTS):
            self.server.stop()
            times.append(self.server.start() * 1000)
        time.sleep(IDLE_SECONDS)
        rss = self.server.resident_kib() / 1024
        return self.record("start", start_ms=statistics.median(times), starts_ms=times, idle_rss_mb=rss)

    def log_in(self, emails: list[str], count: int) -> None:
        """Logs `count` virtual users in, few at a time because every login hashes a password."""
        some, lines = self.server.folder / "some.tsv", []
        for first in range(0, count, LOGINS_AT_ONCE):
            numbers = range(first, min(first + LOGINS_AT_ONCE, count))
            some.write_text("".join(f"email={emails[n % len(emails)]}\tpassword={PASSWORD}\n" for n in numbers))
            lines += self.walk_once(SET_UP, len(numbers), some)
        self.sessions.write_text("".join(lines))

    def walk_once(self, text: str, connections: int, users: Path) -> list[str]:
        """Every virtual user walks through `text` once. Returns their lines afterwards."""
        out = self.server.folder / "afterwards.tsv"
        self.drive(text, connections, users, "-n", "1", "-d", "60", "-o", str(out))
        lines = out.read_text().splitlines(keepends=True)
        if len(lines) < connections:
            raise BenchmarkError(f"{connections - len(lines)} of {connections} virtual users could not be prepared")
        return lines

    def measure_scenario(self, scenario: Scenario, connections: int) -> dict:
        """One row: the scenario under load, with this machine's limits measured just before and just after."""
        users = self.sessions
        if scenario.spends_refresh_tokens:
            # Each virtual user needs a token of its own: one used twice takes its whole family with it.
            users = self.server.folder / "refresh.tsv"
            users.write_text("".join(self.walk_once(CODE, connections, self.sessions)))
        names = ["signature"] + ["password"] * bool(scenario.hashes)
        before = measure_limits(*names, seconds=CALIBRATION_SECONDS)
        result, used = self.drive(scenario.text, connections, users, "-d", str(self.options.seconds))
        after = measure_limits(*names, seconds=CALIBRATION_SECONDS)
        cost = {name: (before[name]["cpu_us"] + after[name]["cpu_us"]) / 2 for name in names}
        operations = result["operations"]
        cpu_us = result["server_cpu_seconds"] * 1e6 / operations if operations else None
        commits, commit_limit = used.writes / max(result["seconds"], 0.001), self.commit_limits.get(connections)
        known_us = scenario.signatures * cost["signature"] + scenario.hashes * cost.get("password", 0)
        cpu_seconds = max(result["seconds"], 0.001) * (os.cpu_count() or 1)
        known_cpu_seconds = result["server_cpu_seconds"] + result["driver_cpu_seconds"] + used.cpu_seconds
        others = result["machine_cpu_seconds"] - known_cpu_seconds
        return self.record(
            "scenario",
            scenario=scenario.name,
            cpu_us=cpu_us,
            signature_us=cost["signature"],
            limit=known_us / cpu_us if cpu_us and known_us else None,
            database_cpu_us=used.cpu_seconds * 1e6 / operations if operations else None,
            commits_per_second=commits,
            commit_limit=commits / commit_limit if commit_limit else None,
            others=min(1.0, max(0.0, others / cpu_seconds)),
            **result,
        )

    def run(self) -> bool:
        """Prints this database's part. Returns whether every operation was answered as expected."""
        options, server, database = self.options, self.server, self.database
        report.print_database(database.title)
        self.commit_limits = database.commit_limits(options.connections, PGBENCH_SECONDS)
        for clients, commits in self.commit_limits.items():
            report.print_commit_limit(self.record("commit limit", clients=clients, per_second=commits))
        emails = server.prepare(options.users)
        start = self.measure_start()
        report.print_start(start)
        self.log_in(emails, max(options.connections))
        table = report.Table(has_server=bool(self.commit_limits))
        table.print_header()
        rows = []
        for scenario in options.only:
            for connections in options.connections:
                rows.append(self.measure_scenario(scenario, connections))
                table.print_row(rows[-1])
        for target in report.targets(start, rows):
            report.print_target(self.record("target", **target))
        return all(row["operations"] and not row["failed"] for row in rows)


def parse_options() -> argparse.Namespace:
    names = {scenario.name: scenario for scenario in SCENARIOS}

    def scenario_list(text: str) -> list[Scenario]:
        unknown = set(text.split(",")) - names.keys()
        if unknown:
            raise argparse.ArgumentTypeError(f"unknown: {', '.join(unknown)}; there are {', '.join(names)}")
        return [names[name] for name in text.split(",")]

    def number_list(text: str) -> list[int]:
        return [int(number) for number in text.split(",")]

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--portico", default=".build/release/portico", help="the program (default: %(default)s)")
    kinds = [*DATABASES, "both"]
    parser.add_argument("--database", choices=kinds, default="both", help="default: %(default)s")
    parser.add_argument("--seconds", type=float, default=5, help="of each measurement (default: %(default)s)")
    parser.add_argument("--connections", type=number_list, default=[1, 8, 64], help="default: 1,8,64")
    parser.add_argument("--only", type=scenario_list, default=SCENARIOS, help=f"some of {','.join(names)}")
    parser.add_argument("--users", type=int, default=64, help="users in the database (default: %(default)s)")
    parser.add_argument("--json", help="append every figure to this file, one JSON object a line")
    parser.add_argument("--keep", action="store_true", help="keep the data folder and the server's log")
    options = parser.parse_args()
    if options.users < 1 or not all(1 <= number <= 1024 for number in options.connections):
        parser.error("--users is at least 1, --connections are between 1 and 1024")
    if not 0 < options.seconds <= 100:
        parser.error("--seconds is at most 100")
    return options


def measure_machine(options: argparse.Namespace, records: Records) -> None:
    """What does not depend on the database."""
    BUILD_FOLDER.mkdir(parents=True, exist_ok=True)
    machine = records.record(
        "machine",
        time=time.strftime("%FT%TZ", time.gmtime()),
        cores=os.cpu_count(),
        processor=report.processor_name(),
        system=f"{platform.system()} {platform.release()}",
        seconds=options.seconds,
    )
    report.print_machine(machine)
    report.print_limits([records.record("limit", **line) for line in measure_limits().values()])


def measure_database(options: argparse.Namespace, records: Records, name: str) -> bool:
    """Whether every operation on this database was answered as expected."""
    database, benchmark = DATABASES[name](), None
    try:
        benchmark = Benchmark(options, records, database)
        return benchmark.run()
    finally:
        if benchmark and options.keep:
            benchmark.server.stop()
            print(f"kept: {benchmark.server.folder}")
        elif benchmark:
            benchmark.server.remove()
        database.stop()


def main() -> int:
    options = parse_options()
    sys.stdout.reconfigure(line_buffering=True)
    try:
        records = Records(options.json)
        measure_machine(options, records)
        return 0 if all([measure_database(options, records, name) for name in database_names(options.database)]) else 1
    except BenchmarkError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
