#!/usr/bin/env python3
"""Measures queries on a lake, keytrail beside DuckDB on the same Parquet files; see README.md in this folder.

    run.py LAKE ACCESS_KEY_ID [--runs 5]
"""

import argparse
import csv
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
KEYTRAIL = os.environ.get("KEYTRAIL") or str(HERE.parents[1] / "target/release/keytrail")
START = "SELECT 1 AS one"


def duckdb_answer(events, key, sql, answer):
    """In a process of its own: the same query with DuckDB."""
    import duckdb
    db = duckdb.connect()
    db.execute(f"set threads = {os.cpu_count()}")
    db.execute("set timezone = 'UTC'")
    if "FROM events" in sql:
        db.execute(f"create view events as select * from read_parquet('{events}/event_date=*/*.parquet', hive_partitioning = true)")
    values = {"access_key_id": key} if "$access_key_id" in sql else {}
    db.execute(f"copy ({sql}) to '{answer}' (format csv)", values)


def command(tool, sql, key, lake, answer):
    if tool == "duckdb":
        return [sys.executable, __file__, "--answer", f"{lake}/events", key, sql, answer]
    params = ["--param", f"access_key_id={key}"] if "$access_key_id" in sql else []
    return [KEYTRAIL, "sql", "--lake", lake, "--quiet", "--format", "csv", "--output", answer, *params, without_title(sql)]


def without_title(sql):
    return "\n".join(line for line in sql.splitlines() if not line.startswith("--"))


def bytes_read():
    """Of this process and of those it waited for."""
    return int(Path("/proc/self/io").read_text().split()[1])


def measure(words):
    """Seconds and bytes read of a process."""
    before, start = bytes_read(), time.perf_counter()
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start, bytes_read() - before


def rows(path):
    """The rows of an answer, in an order of their own; times without what the tools write differently."""
    def plain(cell):
        return cell.replace("T", " ").removesuffix("Z").removesuffix("+00") if cell[:2] == "20" else cell
    with open(path, newline="") as file:
        return sorted([plain(cell) for cell in row] for row in list(csv.reader(file))[1:])


def machine():
    model = next((line.split(": ")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), platform.machine())
    version = subprocess.run([KEYTRAIL, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    import duckdb
    return f"{os.cpu_count()} × {model}; {version}, DuckDB {duckdb.__version__}"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lake")
    parser.add_argument("key")
    parser.add_argument("--runs", type=int, default=5)
    args = parser.parse_args()
    lake = str(Path(args.lake).resolve())
    files = list(Path(lake, "events").glob("event_date=*/*.parquet"))
    size = sum(file.stat().st_size for file in files)
    queries = {"`SELECT 1`": START} | {f"`{file.stem}`": file.read_text() for file in sorted(HERE.glob("*.sql"))}
    print(f"{machine()}. {size / 1e6:,.1f} MB of events in {len(files)} Parquet files. Median of {args.runs} runs, tools taking turns, "
          "each run a fresh process.\n")
    print("| query | tool | seconds | MB read | of the lake | answers |\n| --- | --- | ---: | ---: | ---: | --- |")
    idle = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, sql in queries.items():
            answer = {tool: f"{folder}/{tool}.csv" for tool in ("keytrail", "duckdb")}
            results = {tool: [] for tool in answer}
            for _ in range(args.runs):
                for tool in answer:
                    results[tool].append(measure(command(tool, sql, args.key, lake, answer[tool])))
            same = rows(answer["keytrail"]) == rows(answer["duckdb"])
            verdict = f"{len(rows(answer['keytrail']))} rows, " + ("the same" if same else "NOT THE SAME")
            for tool, result in results.items():
                show(name, tool, result, (idle, size), verdict)
        dossier = [KEYTRAIL, "key", args.key, "--lake", lake, "--quiet", "--format", "json"]
        show("`keytrail key`", "keytrail", [measure(dossier) for _ in range(args.runs)], (idle, size), "")


def show(name, tool, result, places, verdict):
    idle, size = places
    seconds, read = map(statistics.median, zip(*result))
    read -= idle.setdefault(tool, read)
    print(f"| {name} | {tool} | {seconds:.2f} | {read / 1e6:.2f} | {read / size:.1%} | {verdict} |", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--answer"]:
        duckdb_answer(*sys.argv[2:])
    else:
        main()
