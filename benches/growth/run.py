#!/usr/bin/env python3
"""How cost grows: ingests trails of several sizes, asks questions of each lake, and draws the figures.

    run.py TRAIL... [--runs 3] [--tmp FOLDER] [--svg FILE]

In: folders of log files, and the release binary in KEYTRAIL. Out: a Markdown table on standard output, and a chart. A key is asked about and
traced: the one that looks most stolen, else the one with most events.
"""

import argparse
import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

KEYTRAIL = os.environ.get("KEYTRAIL") or str(Path(__file__).parents[2] / "target/release/keytrail")
QUESTIONS = ["keys", "key", "keys --suspicious", "consumers", "ready", "trace"]


def run(arguments):
    """Seconds, peak memory in MiB, and what was written."""
    begun = time.perf_counter()
    process = subprocess.Popen([KEYTRAIL, *arguments], stdout=subprocess.PIPE)
    text = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    code = os.waitstatus_to_exitcode(status)
    if code not in (0, 3):
        sys.exit(f"exit code {code}: keytrail {' '.join(arguments)}")
    return time.perf_counter() - begun, usage.ru_maxrss / 1024, text


def median_of(runs, arguments):
    """Medians of seconds and memory."""
    taken = [run(arguments) for _ in range(runs)]
    return statistics.median(s for s, _, _ in taken), statistics.median(m for _, m, _ in taken)


def measure(trail, runs, folder):
    """A row: figures by name."""
    lake = str(Path(folder) / "lake")
    ingests = []
    for _ in range(runs):
        shutil.rmtree(lake, ignore_errors=True)
        ingests.append(run(["ingest", "-q", "--lake", lake, "--format", "json", str(trail)]))
    summary = json.loads(ingests[-1][2])
    row = {
        "GB of JSON": summary["bytes"]["json"] / 1e9,
        "events": summary["events"]["stored"],
        "ingest": statistics.median(s for s, _, _ in ingests),
        "ingest MiB": statistics.median(m for _, m, _ in ingests),
    }

    def asked(*words):
        return json.loads(run([*words, "--lake", lake, "--format", "json"])[2])

    stolen = asked("keys", "--suspicious")["keys"]
    keys = asked("keys")["keys"]
    most = max(keys, key=lambda of: of["events"])
    key = (stolen or [most])[0]["access_key_id"]
    for question in QUESTIONS:
        words = question.split() + ([key] if question in ("key", "trace") else [])
        seconds, memory = median_of(runs, [*words, "--lake", lake, "--format", "json"])
        row[question], row[f"{question} MiB"] = seconds, memory
    shutil.rmtree(lake)
    return row


def table(rows):
    """Markdown: seconds, and MiB behind them."""
    names = ["ingest", *QUESTIONS]
    print("| GB of JSON | events | " + " | ".join(f"`{name}`" for name in names) + " |")
    print("| ---: | ---: | " + " | ".join("---:" for _ in names) + " |")
    for row in rows:
        cells = [f"{row[name]:.2f} s, {row[name + ' MiB']:,.0f} MiB" for name in names]
        print(f"| {row['GB of JSON']:.2f} | {row['events']:,} | " + " | ".join(cells) + " |")


COLOURS = ["#0b5cad", "#c2410c", "#2f7d4f", "#a16207", "#7c3aed", "#b91c1c", "#0f766e"]
WIDTH, HEIGHT, LEFT, BOTTOM = 430, 300, 56, 40


def panel(rows, suffix, title, x):
    """Lines over the size, both axes logarithmic."""
    names = ["ingest", *QUESTIONS]
    values = [row[name + suffix] for row in rows for name in names]
    sizes = [row["GB of JSON"] for row in rows]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    first, last = math.log10(min(sizes)), math.log10(max(sizes))
    def place(size, value):
        right = (math.log10(size) - first) / ((last - first) or 1)
        up = (math.log10(value) - low) / ((high - low) or 1)
        return LEFT + right * (WIDTH - LEFT - 90), HEIGHT - BOTTOM - up * (HEIGHT - BOTTOM - 30)
    parts = [f'<g transform="translate({x} 0)"><text x="{LEFT}" y="16" font-weight="600">{title}</text>']
    for power in range(low, high + 1):
        _, y = place(sizes[0], 10 ** power)
        label = f"{10 ** power:g}"
        parts.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - 90}" stroke="#d9dce3"/><text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{label}</text>')
    for size in sizes:
        at, _ = place(size, 10 ** low)
        parts.append(f'<text x="{at:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{size:.2g}</text>')
    parts.append(f'<text x="{(LEFT + WIDTH - 90) / 2}" y="{HEIGHT - 4}" text-anchor="middle">GB of JSON</text>')
    labels = []
    for name, colour in zip(names, COLOURS):
        points = [place(row["GB of JSON"], row[name + suffix]) for row in rows]
        line = " ".join(f"{px:.1f},{py:.1f}" for px, py in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{px:.1f}" cy="{py:.1f}" r="3" fill="{colour}"/>' for px, py in points]
        labels.append([points[-1][1], name, colour])
    # Labels that would overlap move down.
    labels.sort()
    for before, label in zip(labels, labels[1:]):
        label[0] = max(label[0], before[0] + 13)
    parts += [f'<text x="{WIDTH - 84}" y="{y + 4:.1f}" fill="{colour}">{name}</text>' for y, name, colour in labels]
    return "".join(parts) + "</g>"


def chart(rows):
    """Seconds on the left, memory on the right."""
    both = panel(rows, "", "seconds", 0) + panel(rows, " MiB", "peak memory, MiB", WIDTH + 20)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * WIDTH + 50} {HEIGHT + 6}" font-family="system-ui,sans-serif" '
            f'font-size="12" role="img" aria-label="Seconds and peak memory against the size of the trail">'
            f'<rect width="100%" height="100%" fill="#fff"/>{both}</svg>\n')


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("trails", nargs="+", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--tmp", default=None)
    parser.add_argument("--svg", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.tmp) as folder:
        rows = [measure(trail, arguments.runs, folder) for trail in arguments.trails]
    rows.sort(key=lambda row: row["GB of JSON"])
    table(rows)
    if arguments.svg:
        arguments.svg.write_text(chart(rows))


if __name__ == "__main__":
    main()
