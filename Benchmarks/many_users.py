#!/usr/bin/env python3
"""Measures how fast users are imported and found, and whether finding them takes longer the more there are."""

import argparse
import http.client
import json
import os
import statistics
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass

import report
from building import BenchmarkError
from database import DATABASES, database_names
from server import Server

MANAGER = {"id": "bench-manager", "secret": "bench-manager-secret-0123456789abcdef"}
# What every imported user has: the hash costs nothing to import, as those of a real export.
HASH = "$2b$10$CZ2bS5T4gJzWfPX4hJvTL.7N2pV7mG0hVqkK0nX3k0s7pC0vV5f0e"
SAMPLES = 300
# A search may take this many times as long at the largest size as at the smallest.
GROWTH = 3.0


@dataclass(frozen=True)
class Search:
    """A search of the kind that dashboards and tools send; `{n}` is the number of a user who is there."""

    name: str
    query: str
    # Whether an index leads to it: the others look at every user, and are shown but not judged.
    is_indexed: bool = True


SEARCHES = [
    Search("by address", 'q=email:"user-{n}@example.test"'),
    Search("by address, users-by-email", "email=user-{n}@example.test"),
    Search("by id", 'q=user_id:"auth0|{n:024}"'),
    Search("beginning of address", "q=email:user-{n}*"),
    Search("by name", 'q=name:"User Number {n}"'),
    Search("by metadata", 'q=app_metadata.account:"account-{n}"'),
    Search("newest first", "sort=created_at:-1&per_page=50"),
    Search("word", "q=user-{n}@example"),
    Search("wildcard at the start", "q=*ser-{n}@exam*", is_indexed=False),
]


def users(first: int, count: int) -> Iterator[str]:
    """A line for each user."""
    for number in range(first, first + count):
        yield json.dumps({
            "user_id": f"{number:024}", "email": f"user-{number}@example.test", "email_verified": True,
            "name": f"User Number {number}", "given_name": "User", "family_name": f"Number {number}",
            "password_hash": HASH,
            "app_metadata": {"account": f"account-{number}", "plan": ["free", "gold"][number % 2]},
            "user_metadata": {"language": "en", "colour": f"colour-{number % 16}"},
        }) + "\n"


class ManyUsers:
    """A tenant that grows, on one database."""

    def __init__(self, portico: str, database):
        self.server = Server(portico, database)
        self.connection: http.client.HTTPConnection | None = None
        self.token = ""

    def prepare(self) -> None:
        audience = f"{self.server.issuer}api/v2/"
        tenant = {
            "clients": [{
                "name": "Manager", "client_id": MANAGER["id"], "client_secret": MANAGER["secret"],
                "app_type": "non_interactive", "grant_types": ["client_credentials"],
            }],
            "clientGrants": [{"client_id": "Manager", "audience": audience, "scope": ["read:users"]}],
            "databases": [{"name": "Username-Password-Authentication", "strategy": "auth0"}],
        }
        file = self.server.folder / "tenant.json"
        file.write_text(json.dumps(tenant))
        self.server.command("apply", "--yes", str(file), PORTICO_ISSUER=self.server.issuer)

    def import_users(self, first: int, count: int) -> dict:
        """Runs `portico users import`, while no server runs. Returns its time and its most memory."""
        file = self.server.folder / "users.ndjson"
        with open(file, "w") as lines:
            lines.writelines(users(first, count))
        command = [str(self.server.binary), "users", "import", str(file)]
        began = time.monotonic()
        log = self.server.folder / "import.log"
        with open(log, "wb") as output:
            process = subprocess.Popen(command, env=self.server.environment, stdout=output, stderr=output)
            _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - began
        if status:
            raise BenchmarkError(f"the import failed:\n{log.read_text()[-2000:]}")
        return {
            "users": count, "seconds": seconds, "per_second": count / seconds, "peak_rss_mb": usage.ru_maxrss / 1024,
        }

    def start(self) -> None:
        self.server.start()
        self.connection = http.client.HTTPConnection("127.0.0.1", self.server.port)
        body = urllib.parse.urlencode({
            "grant_type": "client_credentials", "client_id": MANAGER["id"], "client_secret": MANAGER["secret"],
            "audience": f"{self.server.issuer}api/v2/",
        })
        answer = self.request("POST", "/oauth/token", body, {"Content-Type": "application/x-www-form-urlencoded"})
        self.token = answer["access_token"]

    def request(self, method: str, path: str, body: str | None = None, headers: dict[str, str] | None = None):
        self.connection.request(method, path, body, headers or {"Authorization": f"Bearer {self.token}"})
        response = self.connection.getresponse()
        text = response.read()
        if response.status != 200:
            raise BenchmarkError(f"{method} {path}: {response.status} {text[:500]!r}")
        return json.loads(text)

    def measure(self, search: Search, size: int) -> dict:
        """Searches for users who are spread over all of them, one search after the other."""
        resource = "users-by-email" if search.query.startswith("email=") else "users"
        times = []
        for sample in range(SAMPLES):
            number = (sample * 7919) % size
            text = search.query.format(n=number)
            query = "&".join(f"{name}={urllib.parse.quote(value)}" for name, value in
                             (part.split("=", 1) for part in text.split("&")))
            began = time.perf_counter()
            found = self.request("GET", f"/api/v2/{resource}?{query}")
            times.append((time.perf_counter() - began) * 1000)
            if not found:
                raise BenchmarkError(f"{query} found nobody")
        times.sort()
        return {"search": search.name, "size": size, "p50_ms": statistics.median(times),
                "p99_ms": times[len(times) * 99 // 100]}


def run(options: argparse.Namespace, name: str) -> bool:
    """Prints the figures of one database. Returns whether every indexed search stayed as fast as it was."""
    database = DATABASES[name]()
    tenant = None
    try:
        tenant = ManyUsers(options.portico, database)
        report.print_database(database.title)
        tenant.prepare()
        there, rows = 0, {}
        for size in options.sizes:
            imported = tenant.import_users(there, size - there)
            there = size
            print(f"  {imported['users']:>9,} users imported in {imported['seconds']:.1f} s: "
                  f"{imported['per_second']:,.0f}/s, {imported['peak_rss_mb']:.0f} MB at most")
            tenant.start()
            for search in SEARCHES:
                rows[search.name, size] = tenant.measure(search, size)
            print(f"  {'':>9}  resident with {size:,} users: {tenant.server.resident_kib() / 1024:.0f} MB")
            tenant.server.stop()
        return print_searches(rows, options.sizes)
    finally:
        if tenant:
            tenant.server.remove()
        database.stop()


def print_searches(rows: dict, sizes: list[int]) -> bool:
    print(f"\n  {'p50 / p99 in ms':<30}" + "".join(f"{f'{size:,} users':>20}" for size in sizes))
    is_flat = True
    for search in SEARCHES:
        cells = [rows[search.name, size] for size in sizes]
        figures = "".join("{:>20}".format(f"{cell['p50_ms']:.2f} / {cell['p99_ms']:.2f}") for cell in cells)
        growth = cells[-1]["p99_ms"] / max(cells[0]["p99_ms"], 0.5)
        verdict = "looks at every user" if not search.is_indexed else "met" if growth <= GROWTH else "MISSED"
        is_flat = is_flat and (growth <= GROWTH or not search.is_indexed)
        print(f"  {search.name:<30}{figures}   x{growth:.1f} {verdict}")
    return is_flat


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--portico", default=".build/release/portico", help="the program (default: %(default)s)")
    parser.add_argument("--database", choices=[*DATABASES, "both"], default="both", help="default: %(default)s")
    parser.add_argument("--sizes", type=lambda text: [int(size) for size in text.split(",")],
                        default=[1_000, 10_000, 100_000], help="numbers of users (default: 1000,10000,100000)")
    options = parser.parse_args()
    sys.stdout.reconfigure(line_buffering=True)
    try:
        return 0 if all([run(options, name) for name in database_names(options.database)]) else 1
    except BenchmarkError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
