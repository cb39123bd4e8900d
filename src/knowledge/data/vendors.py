#!/usr/bin/env python3
"""Makes vendors.tsv of known_aws_accounts.yaml (github.com/fwdcloudsec/known_aws_accounts).

    python3 vendors.py known_aws_accounts.yaml > vendors.tsv     # needs PyYAML

One line per account: account, name, and `aws` where AWS is the vendor. An account of several names keeps the first. The
day of the copy is a constant in ../vendors.rs.
"""

import sys

import yaml

accounts = {}
for vendor in yaml.safe_load(open(sys.argv[1], encoding="utf-8")):
    for account in vendor["accounts"]:
        name = " ".join(vendor["name"].split())
        accounts.setdefault(f"{int(account):012}", (name, vendor.get("type") or ""))
for account, (name, kind) in sorted(accounts.items()):
    print(account, name, kind, sep="\t") if kind else print(account, name, sep="\t")
