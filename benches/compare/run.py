#!/usr/bin/env python3
"""Measures keytrail beside DuckDB, ClickHouse and polars on the same log files; see README.md in this folder.

    run.py FOLDER [--runs 5] [--tasks inventory,store,inventory-of-store] [--tools keytrail,duckdb,duckdb-sorted,clickhouse,polars]
"""

import argparse
import glob
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zlib
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

KEYTRAIL = os.environ.get("KEYTRAIL") or str(Path(__file__).parents[2] / "target/release/keytrail")

TASKS = {
    "inventory": "inventory per access key, from the log files",
    "store": "all columns of all events into zstd Parquet",
    "inventory-of-store": "the same inventory, from that store",
}

# The fields of a record, by what they hold. Objects are kept as JSON text by every tool.
TEXT = ("eventVersion eventTime eventSource eventName awsRegion sourceIPAddress userAgent errorCode errorMessage requestID eventID "
        "eventType apiVersion recipientAccountId sharedEventID vpcEndpointId vpcEndpointAccountId eventCategory "
        "sessionCredentialFromConsole").split()
FLAGS = "readOnly managementEvent".split()
OBJECTS = "requestParameters responseElements additionalEventData resources serviceEventDetails tlsDetails addendum".split()
IDENTITY_TEXT = "type principalId arn accountId accessKeyId userName invokedBy identityProvider credentialId".split()
IDENTITY_OBJECTS = "sessionContext onBehalfOf inScopeOf".split()
# Checked event by event in a sample, and what keytrail calls them.
CHECKED = {"requestParameters": "request_parameters", "responseElements": "response_elements",
           "additionalEventData": "additional_event_data", "resources": "resources"}
NOT_SHOWN = "(not shown)"  # what keytrail writes in the place of a secret
SAMPLE = "7a"  # event ids that begin so: one in 256

# What a row of the inventory is made of; ClickHouse and DuckDB count distinct values exactly.
COUNTED = ["sourceIPAddress", "userAgent", "eventSource", "eventName"]


# ------------------------------------------------------------------------------------------------ engines
# Each is a process of its own: `run.py --engine NAME TASK FOLDER STORE ANSWER`.

class DuckDB:
    """read_json_objects with from_json, which is many times faster than read_json where a file is one large array."""

    package, version, order = "duckdb", "print(engine.__version__)", ""

    def __init__(self, folder, store, answer):
        import duckdb
        self.db = duckdb.connect()
        self.db.execute(f"set threads = {os.cpu_count()}")
        self.db.execute("set preserve_insertion_order = false")
        self.files, self.parquet, self.answer = f"{folder}/*.json.gz", f"{store}/events.parquet", answer
        self.largest = int(os.environ["LARGEST_JSON"]) + 1024

    def records(self, record):
        shape = json.dumps({"Records": [record]})
        return (f"(select unnest(from_json(json, '{shape}').Records) as r from read_json_objects('{self.files}', "
                f"format = 'unstructured', maximum_object_size = {self.largest}))")

    def write_inventory(self, source, key, field):
        distinct = ", ".join(f"count(distinct {field(c)}) as {c}" for c in COUNTED[:2])
        self.db.execute(f"""copy (
            select {key} as key, count(*) as events, min({field('eventTime')}) as first, max({field('eventTime')}) as last,
                   {distinct}, count(distinct ({field('eventSource')}, {field('eventName')})) as calls
            from {source} group by all) to '{self.answer}' (format json)""")

    def inventory(self):
        record = {name: "VARCHAR" for name in ["eventTime", *COUNTED]} | {"userIdentity": {"accessKeyId": "VARCHAR"}}
        self.write_inventory(self.records(record), "r.userIdentity.accessKeyId", lambda name: f"r.{name}")

    def store(self):
        types = lambda names, kind: {name: kind for name in names}
        record = types(TEXT, "VARCHAR") | types(FLAGS, "BOOLEAN") | types(OBJECTS, "JSON") | {
            "userIdentity": types(IDENTITY_TEXT, "VARCHAR") | types(IDENTITY_OBJECTS, "JSON")}
        columns = [f"r.{name} as {name}" for name in TEXT + FLAGS + OBJECTS]
        columns += [f"r.userIdentity.{name} as userIdentity_{name}" for name in IDENTITY_TEXT + IDENTITY_OBJECTS]
        self.db.execute(f"copy (select {', '.join(columns)} from {self.records(record)} {self.order}) to '{self.parquet}' "
                        "(format parquet, compression zstd)")

    def inventory_of_store(self):
        self.write_inventory(f"'{self.parquet}'", "userIdentity_accessKeyId", lambda name: name)


class SortedDuckDB(DuckDB):
    """The store sorted as keytrail's is: what is asked of a key is then found, and grouped, by reading less."""

    order = "order by userIdentity_accessKeyId, eventTime"


class Polars:
    """Log files as lines of JSON, some at once and as many of these at once as there are threads: the whole log file is one line. Objects
    are read as text."""

    package, version = "polars", "print(engine.__version__)"
    AT_ONCE = 1 << 20  # compressed bytes

    def __init__(self, folder, store, answer):
        import polars
        self.polars = polars
        self.files, self.parquet, self.answer = sorted(glob.glob(f"{folder}/*.json.gz")), f"{store}/events.parquet", answer

    def parts(self):
        part, size = [], 0
        for path in self.files:
            part.append(path)
            size += os.path.getsize(path)
            if size > self.AT_ONCE:
                yield part
                part, size = [], 0
        yield part

    def records(self, record, identity):
        pl = self.polars
        record = pl.Struct(record | {"userIdentity": pl.Struct(dict.fromkeys(identity, pl.String))})

        def read(part):
            lines = b"\n".join(zlib.decompress(Path(path).read_bytes(), 31) for path in part)
            rows = pl.read_ndjson(lines, schema={"Records": pl.List(record)})
            rows = rows.select(pl.col("Records").explode()).unnest("Records")
            fields = [pl.col("userIdentity").struct.field(name).alias(f"userIdentity_{name}") for name in identity]
            return rows.select(pl.exclude("userIdentity"), *fields)

        with ThreadPoolExecutor(os.cpu_count()) as threads:
            return pl.concat(list(threads.map(read, filter(None, self.parts()))))

    def write_inventory(self, rows):
        pl = self.polars
        time = pl.col("eventTime")
        rows.group_by(pl.col("userIdentity_accessKeyId").alias("key")).agg(
            pl.len().alias("events"), time.min().alias("first"), time.max().alias("last"),
            *[pl.col(name).drop_nulls().n_unique() for name in COUNTED[:2]],
            pl.struct("eventSource", "eventName").n_unique().alias("calls"),
        ).collect().write_ndjson(self.answer)

    def inventory(self):
        rows = self.records(dict.fromkeys(["eventTime", *COUNTED], self.polars.String), ["accessKeyId"])
        self.write_inventory(rows.lazy())

    def store(self):
        pl = self.polars
        record = dict.fromkeys(TEXT + OBJECTS, pl.String) | dict.fromkeys(FLAGS, pl.Boolean)
        self.records(record, IDENTITY_TEXT + IDENTITY_OBJECTS).write_parquet(self.parquet, compression="zstd")

    def inventory_of_store(self):
        self.write_inventory(self.polars.scan_parquet(self.parquet))


class ClickHouse:
    """The library chdb: the same engine without a server. Objects are read as text, not parsed further."""

    package, version = "chdb", "print(str(engine.query('select version()')).strip(chr(34) + chr(10)), '(chdb ' + engine.__version__ + ')')"
    settings = ("input_format_json_read_objects_as_strings = 1, input_format_json_read_arrays_as_strings = 1, "
                "input_format_skip_unknown_fields = 1, input_format_json_ignore_unknown_keys_in_named_tuple = 1, "
                "output_format_json_quote_64bit_integers = 0, output_format_parquet_compression_method = 'zstd', "
                "output_format_parquet_parallel_encoding = 1")

    def __init__(self, folder, store, answer):
        import chdb
        self.query = chdb.query
        self.files, self.parquet, self.answer = f"{folder}/*.json.gz", f"{store}/events.parquet", answer
        self.settings += f", max_threads = {os.cpu_count()}"

    def records(self, record):
        return f"(select arrayJoin(Records) as r from file('{self.files}', 'JSONEachRow', 'Records Array(Tuple({record}))'))"

    def write_inventory(self, source, key, field):
        distinct = ", ".join(f"uniqExact({field(c)}) as {c}" for c in COUNTED[:2])
        rows = self.query(f"""
            select {key} as key, count() as events, min({field('eventTime')}) as first, max({field('eventTime')}) as last,
                   {distinct}, uniqExact(({field('eventSource')}, {field('eventName')})) as calls
            from {source} group by key settings {self.settings}""", "JSONEachRow")
        Path(self.answer).write_bytes(rows.bytes())

    def inventory(self):
        texts = ", ".join(f"{name} Nullable(String)" for name in ["eventTime", *COUNTED])
        record = f"{texts}, userIdentity Tuple(accessKeyId Nullable(String))"
        self.write_inventory(self.records(record), "r.userIdentity.accessKeyId", lambda name: f"r.{name}")

    def store(self):
        types = lambda names, kind="Nullable(String)": ", ".join(f"{name} {kind}" for name in names)
        record = (f"{types(TEXT + OBJECTS)}, {types(FLAGS, 'Nullable(Bool)')}, "
                  f"userIdentity Tuple({types(IDENTITY_TEXT + IDENTITY_OBJECTS)})")
        columns = [f"r.{name} as {name}" for name in TEXT + FLAGS + OBJECTS]
        columns += [f"r.userIdentity.{name} as userIdentity_{name}" for name in IDENTITY_TEXT + IDENTITY_OBJECTS]
        self.query(f"insert into function file('{self.parquet}', 'Parquet') select {', '.join(columns)} "
                   f"from {self.records(record)} settings {self.settings}")

    def inventory_of_store(self):
        self.write_inventory(f"file('{self.parquet}', 'Parquet')", "userIdentity_accessKeyId", lambda name: name)


ENGINES = {"duckdb": DuckDB, "duckdb-sorted": SortedDuckDB, "clickhouse": ClickHouse, "polars": Polars}
# Straight from the log files, one way is as good as the other.
NOT_DONE = {("inventory", "duckdb-sorted")}


def command(tool, task, folder, store, answer):
    if tool in ENGINES:
        return [sys.executable, __file__, "--engine", tool, task, folder, store, answer]
    lake = f"{store}/lake"
    return {
        "inventory": [KEYTRAIL, "keys", "--trail", folder, "--temporary", "--format", "json", "--output", answer],
        "store": [KEYTRAIL, "ingest", folder, "--lake", lake, "--format", "json"],
        "inventory-of-store": [KEYTRAIL, "keys", "--lake", lake, "--temporary", "--format", "json", "--output", answer],
    }[task]


# ------------------------------------------------------------------------------------------------ what is right

class Reference:
    """Counts by a plain Python reader: over everything that was delivered, and over each event once."""

    def __init__(self, source, flat):
        loads = json_reader()
        self.files = self.left_out = self.gzip = self.json = self.largest = 0
        self.events, self.keys = Counter(), {"delivered": {}, "once": {}}
        self.present, self.sample, seen = {"delivered": Counter(), "once": Counter()}, {}, set()
        for path in sorted(glob.glob(f"{glob.escape(source)}/**/*.json.gz", recursive=True)):
            packed = Path(path).read_bytes()
            try:
                inflater = zlib.decompressobj(31)
                text = inflater.decompress(packed)
                records = loads(text)["Records"]
                for record in records:
                    datetime.fromisoformat(record["eventTime"])
                # Insights are statistics about calls: keytrail passes over them, the peers would count them.
                insights = any(record.get("eventType") == "AwsCloudTrailInsight" for record in records)
                whole = inflater.eof and not inflater.unused_data and not insights
            except (zlib.error, ValueError, KeyError, TypeError):
                whole = False
            if not whole:  # broken, where the peers end, or not of events
                self.left_out += 1
                continue
            link(path, flat)
            self.files, self.gzip, self.json = self.files + 1, self.gzip + len(packed), self.json + len(text)
            self.largest = max(self.largest, len(text))
            for record in records:
                self.count("delivered", record)
                if record["eventID"] not in seen:
                    seen.add(record["eventID"])
                    self.count("once", record)
                    if record["eventID"].startswith(SAMPLE):
                        self.sample[record["eventID"]] = [record.get(name) for name in CHECKED]

    def count(self, how, record):
        self.events[how] += 1
        self.present[how].update(name for name in CHECKED if record.get(name) is not None)
        if key := (record.get("userIdentity") or {}).get("accessKeyId"):
            row = self.keys[how].setdefault(key, [0, record["eventTime"], record["eventTime"], set(), set(), set()])
            row[0] += 1
            row[1], row[2] = min(row[1], record["eventTime"]), max(row[2], record["eventTime"])
            for place, value in zip((3, 4), (record.get("sourceIPAddress"), record.get("userAgent"))):
                if value is not None:
                    row[place].add(value)
            row[5].add((record["eventSource"], record["eventName"]))

    def inventory(self, how):
        return {key: (*row[:3], *map(len, row[3:])) for key, row in self.keys[how].items()}

    def check_inventory(self, tool, answer):
        text = Path(answer).read_text()
        if tool == "keytrail":
            names = "access_key_id events first_seen last_seen source_ip_addresses user_agents api_calls".split()
            rows = json.loads(text)["keys"]
        else:
            names = "key events first last sourceIPAddress userAgent calls".split()
            rows = [json.loads(line) for line in text.splitlines()]
        how = "once" if tool == "keytrail" else "delivered"
        got = {row[names[0]]: tuple(row[name] for name in names[1:]) for row in rows if row[names[0]]}
        want = self.inventory(how)
        wrong = [key for key in want.keys() | got.keys() if want.get(key) != got.get(key)]
        if wrong:
            return f"WRONG for {len(wrong)} keys, e.g. {wrong[0]}: {got.get(wrong[0])} instead of {want.get(wrong[0])}"
        return f"right for {len(want)} keys, " + ("duplicates removed" if how == "once" else "duplicates counted")

    def check_store(self, tool, store):
        import duckdb
        ours = tool == "keytrail"
        how = "once" if ours else "delivered"
        files = f"{store}/lake/events/*/*.parquet" if ours else f"{store}/events.parquet"
        names = list(CHECKED.values()) if ours else list(CHECKED)
        event_id = "event_id" if ours else "eventID"
        counts = ", ".join(f"count({name})" for name in names)
        (rows, *present), = duckdb.sql(f"select count(*), {counts} from '{files}'").fetchall()
        want = [self.present[how][name] for name in CHECKED]
        if (rows, present) != (self.events[how], want):
            return f"WRONG: {rows} rows, {present} objects, instead of {self.events[how]}, {want}"
        text = lambda value: value.decode() if isinstance(value, bytes) else value
        loads, wrong = json_reader(), 0
        query = f"select {event_id}, {', '.join(names)} from '{files}' where starts_with({event_id}::varchar, '{SAMPLE}')"
        for event, *values in duckdb.sql(query).fetchall():
            values = [None if value is None else loads(text(value)) for value in values]
            wrong += not same(values, self.sample[text(event)])
        if wrong:
            return f"WRONG: objects of {wrong} events differ"
        is_sorted = "sorted" if ours or tool == "duckdb-sorted" else "unsorted"
        return f"right: {rows} rows, duplicates {'removed' if ours else 'kept'}, {is_sorted}"


def same(stored, logged):
    """Whether two values are the same, but for secrets, which keytrail does not store."""
    if isinstance(stored, dict) and isinstance(logged, dict):
        return stored.keys() == logged.keys() and all(same(value, logged[name]) for name, value in stored.items())
    if isinstance(stored, list) and isinstance(logged, list):
        return len(stored) == len(logged) and all(map(same, stored, logged))
    return stored == logged or stored == NOT_SHOWN


def json_reader():
    try:
        import orjson
        return orjson.loads
    except ImportError:
        return json.loads


def link(path, flat):
    """Into one flat folder, which every tool can read, without a copy where the file system allows."""
    stem = Path(path).name.removesuffix(".json.gz")
    target, n = f"{flat}/{stem}.json.gz", 0
    while os.path.exists(target):
        n += 1
        target = f"{flat}/{stem}-{n}.json.gz"
    try:
        os.link(path, target)
    except OSError:
        shutil.copyfile(path, target)


# ------------------------------------------------------------------------------------------------ measuring

def measure(tool, task, folder, store, answer):
    """Runs a process and returns seconds of wall clock and of CPU, and its peak memory in MiB."""
    if task == "store":
        shutil.rmtree(store, ignore_errors=True)
        os.makedirs(store)
    os.sync()  # what earlier runs wrote is not to be paid for here
    begun = time.monotonic()
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(command(tool, task, folder, store, answer), stdout=subprocess.DEVNULL, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        # keytrail says by 3 that something was rejected; the checks then say whether that was right.
        if process.returncode not in ((0, 3) if tool == "keytrail" else (0,)):
            errors.seek(0)
            sys.exit(f"{tool}, {task}: exit code {process.returncode}\n{errors.read().decode(errors='replace')[-2000:]}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def size(folder):
    return sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())


def version(tool):
    if tool == "keytrail":
        return subprocess.run([KEYTRAIL, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    script = f"import {ENGINES[tool].package} as engine; {ENGINES[tool].version}"
    return f"{tool} " + subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip()


def machine():
    text = lambda path: Path(path).read_text() if os.path.exists(path) else ""
    model = next((line.split(":")[1].strip() for line in text("/proc/cpuinfo").splitlines() if line.startswith("model name")),
                 platform.processor() or platform.machine())
    memory = next((int(line.split()[1]) / 2**20 for line in text("/proc/meminfo").splitlines() if line.startswith("MemTotal")), 0)
    return f"{os.cpu_count()} cores ({model}), {memory:.0f} GiB of memory, {platform.system()} {platform.release()}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", help="log files, *.json.gz at any depth")
    parser.add_argument("--runs", type=int, default=5, help="how often each tool does each task")
    parser.add_argument("--tasks", default=",".join(TASKS))
    parser.add_argument("--tools", default="keytrail,duckdb,duckdb-sorted,clickhouse,polars")
    parser.add_argument("--tmp", help="where stores and answers go (the file system of FOLDER saves a copy)")
    args = parser.parse_args()
    tools, tasks = args.tools.split(","), args.tasks.split(",")
    with tempfile.TemporaryDirectory(prefix="keytrail-compare-", dir=args.tmp or Path(args.folder).resolve().parent) as tmp:
        flat = f"{tmp}/log-files"
        os.mkdir(flat)
        # In a process of its own: the peak memory of a process that is measured cannot read lower than that of the one that
        # starts it. Reading also brings the files into the page cache, for all tools alike.
        with ProcessPoolExecutor(1) as checker:
            facts = checker.submit(read_reference, args.folder, flat).result()
            os.environ["LARGEST_JSON"] = str(facts.largest)
            compare(args.runs, tasks, tools, facts, checker, (tmp, flat))


def read_reference(source, flat):
    """In the checker: keeps the reference, gives back the few numbers that describe the log files."""
    global REFERENCE
    REFERENCE = Reference(source, flat)
    names = "files left_out gzip json largest events".split()
    return SimpleNamespace(**{name: getattr(REFERENCE, name) for name in names})


def check(tool, task, store, answer):
    """In the checker: what is to be said about a result."""
    return REFERENCE.check_store(tool, store) if task == "store" else REFERENCE.check_inventory(tool, answer)


def compare(runs, tasks, tools, reference, checker, folders):
    tmp, flat = folders
    store, answer = (lambda tool: f"{tmp}/store-{tool}"), (lambda tool: f"{tmp}/answer-{tool}")
    if "inventory-of-store" in tasks and "store" not in tasks:
        for tool in tools:
            measure(tool, "store", flat, store(tool), answer(tool))
    print(f"{machine()}; {', '.join(map(version, tools))}. {reference.json / 1e6:,.0f} MB of JSON in {reference.files:,} log files "
          f"({reference.gzip / 1e6:,.0f} MB compressed), {reference.events['delivered']:,} events delivered, "
          f"{reference.events['once']:,} different ones"
          + (f"; {reference.left_out} log files that not all tools can read are left out" if reference.left_out else "")
          + f". Median of {runs} runs, tools taking turns, each run a fresh process.\n")
    print("| task | tool | seconds | MB/s of JSON | CPU seconds | peak MiB | MB written | result |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: | --- |")
    for task in tasks:
        results = {tool: [] for tool in tools if (task, tool) not in NOT_DONE}
        for _ in range(runs):
            for tool in results:
                results[tool].append(measure(tool, task, flat, store(tool), answer(tool)))
        for tool, result in results.items():
            wall, cpu, memory = map(statistics.median, zip(*result))
            verdict = checker.submit(check, tool, task, store(tool), answer(tool)).result()
            written = f"{size(store(tool)) / 1e6:.1f}" if task == "store" else ""
            print(f"| {TASKS[task]} | {tool} | {wall:.2f} | {reference.json / 1e6 / wall:,.0f} | {cpu:.2f} | {memory:,.0f} | {written} | {verdict} |",
                  flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--engine"]:
        _, _, engine, task, *places = sys.argv
        getattr(ENGINES[engine](*places), task.replace("-", "_"))()
    else:
        main()
