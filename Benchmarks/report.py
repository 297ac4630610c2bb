"""How the figures are printed, and which of them are targets."""

from pathlib import Path

# Scenario -> the share of the signature limit that it shall reach.
LIMIT_TARGETS = {"client-credentials": 0.60, "code": 0.60, "hybrid": 0.60}
IDLE_RSS_TARGET_MB = 60
START_TARGET_MS = 300

LIMIT_NAMES = {
    "signature": "RS256 signature, RSA-2048 (OpenSSL)",
    "commit": "one-row commit (SQLite, WAL, synchronous=FULL)",
    "password": "Argon2id hash (19 MiB, 2 iterations)",
}

COLUMNS = "{:<20}{:>5}{:>11}{:>9}{:>9}{:>8}{:>11}{:>8}{:>8}{:>8}"
HEADINGS = ("scenario", "conn", "op/s", "p50 ms", "p99 ms", "errors", "CPU µs/op", "RSS MB", "limit", "others")
# Only where the database is a server of its own.
SERVER_COLUMNS = "{:>10}{:>11}{:>10}"
SERVER_HEADINGS = ("DB µs/op", "commits/s", "of limit")


def processor_name() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return "unknown processor"


def print_machine(machine: dict) -> None:
    print(f"{machine['time']}  {machine['cores']} cores, {machine['processor']}, {machine['system']}")


def print_limits(limits: list[dict]) -> None:
    print("\nThis machine's limits, on one core")
    for limit in limits:
        figures = f"{limit['cpu_us']:>10,.1f} µs CPU {limit['wall_us']:>10,.1f} µs wall {limit['per_second']:>9,.0f}/s"
        print(f"  {LIMIT_NAMES[limit['limit']]:<48}{figures}")


def print_start(start: dict) -> None:
    print(f"\nStart to ready {start['start_ms']:.0f} ms (median of {len(start['starts_ms'])}), ", end="")
    print(f"{start['idle_rss_mb']:.1f} MB resident when idle\n")


def print_database(title: str) -> None:
    print(f"\n{title}\n{'=' * len(title)}")


def print_commit_limit(limit: dict) -> None:
    clients = f"{limit['clients']} client{'s' * (limit['clients'] != 1)}"
    print(f"  {'one-row commits, pgbench with ' + clients:<48}{limit['per_second']:>40,.0f}/s")


class Table:
    """The rows of one database; `has_server` adds what only a database with processes of its own has."""

    def __init__(self, has_server: bool):
        self.has_server = has_server

    def print_header(self) -> None:
        print(COLUMNS.format(*HEADINGS) + (SERVER_COLUMNS.format(*SERVER_HEADINGS) if self.has_server else ""))

    def print_row(self, row: dict) -> None:
        print(COLUMNS.format(*_cells(row)) + (SERVER_COLUMNS.format(*_server_cells(row)) if self.has_server else ""))


def _cells(row: dict) -> tuple:
    latency = row["latency_us"]
    milliseconds = [f"{latency[p] / 1000:.2f}" if latency["count"] else "-" for p in ("p50", "p99")]
    return (
        row["scenario"],
        row["connections"],
        f"{row['per_second']:,.1f}",
        *milliseconds,
        row["failed"],
        f"{row['cpu_us']:,.0f}" if row["cpu_us"] else "-",
        f"{row['server_rss_kib'] / 1024:.0f}",
        f"{row['limit']:.0%}" if row["limit"] else "-",
        f"{row['others']:.0%}",
    )


def _server_cells(row: dict) -> tuple:
    return (
        f"{row['database_cpu_us']:,.0f}" if row["database_cpu_us"] is not None else "-",
        f"{row['commits_per_second']:,.0f}",
        f"{row['commit_limit']:.0%}" if row["commit_limit"] else "-",
    )


def targets(start: dict, rows: list[dict]) -> list[dict]:
    """The targets that this run measured. Shares of a limit are judged at the largest number of connections."""
    found = []
    for name, wanted in LIMIT_TARGETS.items():
        measured = [row for row in rows if row["scenario"] == name and row["limit"]]
        if measured:
            row = max(measured, key=lambda row: row["connections"])
            label = f"{name} at {row['connections']} connections"
            found.append(_target(label, row["limit"] * 100, wanted * 100, "% of the signature limit", at_least=True))
    found.append(_target("idle", start["idle_rss_mb"], IDLE_RSS_TARGET_MB, "MB resident", at_least=False))
    found.append(_target("start", start["start_ms"], START_TARGET_MS, "ms to ready", at_least=False))
    return found


def _target(name: str, measured: float, wanted: float, unit: str, at_least: bool) -> dict:
    met = measured >= wanted if at_least else measured < wanted
    return {"name": name, "measured": measured, "wanted": wanted, "unit": unit, "at_least": at_least, "met": met}


def print_target(target: dict) -> None:
    sign = "≥" if target["at_least"] else "<"
    verdict = "met" if target["met"] else "MISSED"
    figures = f"{target['measured']:.1f} {target['unit']} (wanted {sign} {target['wanted']:.0f})"
    print(f"target: {target['name']}: {figures}: {verdict}")
