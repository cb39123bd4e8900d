#!/usr/bin/env python3
"""run.py KEYTRAIL [--hours N] [--files N] [--events N] [--runs N]: `keytrail validate` beside `aws cloudtrail validate-logs`.

Makes a trail with a chain of signed digest files, serves it from memory as S3 (and its public key as CloudTrail) on loopback, and has both
validate it, in turns. Prints a Markdown table of medians and the ratio. Needs `pip install awscli rsa`.
"""
import argparse, asyncio, base64, datetime, gzip, hashlib, json, multiprocessing, os, statistics, subprocess, sys, time
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

import rsa

ACCOUNT, REGION, TRAIL, BUCKET = "111122223333", "eu-west-1", "main", "logs"
BEGIN = datetime.datetime(2025, 3, 1, 0, 1, 31)


def make(hours, files, events):
    """The objects of the bucket ({key: (bytes, metadata)}) and the public key as CloudTrail lists it."""
    public, private = rsa.newkeys(2048)
    der = public.save_pkcs1("DER")
    fingerprint = hashlib.md5(der).hexdigest()
    objects, before = {}, None
    written = lambda time: time.strftime("%Y-%m-%dT%H:%M:%SZ")
    for hour in range(hours):
        start, end = (BEGIN + datetime.timedelta(hours=n) for n in (hour, hour + 1))
        listed = []
        for n in range(files):
            at = start + datetime.timedelta(minutes=5 + 50 * n // files)
            records = [{"eventVersion": "1.11", "eventTime": written(at), "eventSource": "s3.amazonaws.com", "eventName": "ListBuckets",
                        "awsRegion": REGION, "sourceIPAddress": "192.0.2.1", "userAgent": "aws-cli/2.15.0", "recipientAccountId": ACCOUNT,
                        "eventID": hashlib.md5(f"{hour} {n} {event}".encode()).hexdigest(), "requestParameters": {"n": event}}
                       for event in range(events)]
            text = json.dumps({"Records": records}).encode()
            key = f"AWSLogs/{ACCOUNT}/CloudTrail/{REGION}/{at:%Y/%m/%d}/{ACCOUNT}_CloudTrail_{REGION}_{at:%Y%m%dT%H%MZ}_{n:016d}.json.gz"
            objects[key] = (gzip.compress(text, 6), {})
            listed.append({"s3Bucket": BUCKET, "s3Object": key, "hashValue": hashlib.sha256(text).hexdigest(), "hashAlgorithm": "SHA-256",
                           "newestEventTime": written(at), "oldestEventTime": written(at)})
        key = f"AWSLogs/{ACCOUNT}/CloudTrail-Digest/{REGION}/{end:%Y/%m/%d}/{ACCOUNT}_CloudTrail-Digest_{REGION}_{TRAIL}_{REGION}_{end:%Y%m%dT%H%M%SZ}.json.gz"
        digest = {"awsAccountId": ACCOUNT, "digestStartTime": written(start), "digestEndTime": written(end), "digestS3Bucket": BUCKET,
                  "digestS3Object": key, "digestPublicKeyFingerprint": fingerprint, "digestSignatureAlgorithm": "SHA256withRSA",
                  "newestEventTime": written(end), "oldestEventTime": written(start),
                  "previousDigestS3Bucket": before and BUCKET, "previousDigestS3Object": before and before[0],
                  "previousDigestHashValue": before and before[1], "previousDigestHashAlgorithm": before and "SHA-256",
                  "previousDigestSignature": before and before[2], "logFiles": listed}
        text = json.dumps(digest).encode()
        own = hashlib.sha256(text).hexdigest()
        signed = "\n".join([written(end), f"{BUCKET}/{key}", own, before[2] if before else "null"])
        signature = rsa.sign(signed.encode(), private, "SHA-256").hex()
        objects[key] = (gzip.compress(text, 6), {"signature": signature, "signature-algorithm": "SHA256withRSA"})
        before = (key, own, signature)
    listed = {"Value": base64.b64encode(der).decode(), "Fingerprint": fingerprint,
              "ValidityStartTime": 1735689600, "ValidityEndTime": 1767225600}
    return objects, {"PublicKeyList": [listed]}


class Server(asyncio.Protocol):
    """As much of S3 and CloudTrail as both tools ask for."""
    objects, keys, public = {}, [], b""

    def connection_made(self, transport):
        self.transport, self.buffer = transport, b""

    def data_received(self, data):
        self.buffer += data
        while b"\r\n\r\n" in self.buffer:
            head, rest = self.buffer.split(b"\r\n\r\n", 1)
            lines = head.decode().split("\r\n")
            headers = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines[1:])}
            length = int(headers.get("content-length", 0))
            if len(rest) < length:
                return
            self.buffer = rest[length:]
            method, target, _ = lines[0].split(" ")
            self.answer(method, urlsplit(target))

    def send(self, body, kind, more=()):
        lines = ["HTTP/1.1 200 OK", f"Content-Type: {kind}", f"Content-Length: {len(body)}", *more]
        self.transport.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    def answer(self, method, url):
        key = unquote(url.path).removeprefix(f"/{BUCKET}").lstrip("/")
        query = {name: values[0] for name, values in parse_qs(url.query, keep_blank_values=True).items()}
        if method == "POST":
            return self.send(Server.public, "application/x-amz-json-1.1")
        if "location" in query:
            return self.send(f"<LocationConstraint>{REGION}</LocationConstraint>".encode(), "application/xml")
        if not key:
            return self.send(self.listing(query), "application/xml")
        body, metadata = Server.objects[key]
        more = [f"x-amz-meta-{name}: {value}" for name, value in metadata.items()]
        tag = hashlib.md5(body).hexdigest()
        self.send(body, "application/octet-stream", [f'ETag: "{tag}"', *more])

    def listing(self, query):
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter")
        after = max(query.get(name, "") for name in ("marker", "start-after", "continuation-token"))
        contents, folders = [], {}
        names = [key for key in Server.keys if key.startswith(prefix) and key > after]
        more = len(names) > 1000 and not delimiter
        for key in names[:1000] if more else names:
            rest = key[len(prefix):]
            if delimiter and delimiter in rest:
                folders[prefix + rest.split(delimiter)[0] + delimiter] = True
                continue
            size, tag = len(Server.objects[key][0]), hashlib.md5(Server.objects[key][0]).hexdigest()
            contents.append(f"<Contents><Key>{escape(key)}</Key><Size>{size}</Size><ETag>&quot;{tag}&quot;</ETag>"
                            "<LastModified>2025-03-02T00:00:00.000Z</LastModified><StorageClass>STANDARD</StorageClass></Contents>")
        next_one = f"<NextContinuationToken>{names[999]}</NextContinuationToken><NextMarker>{names[999]}</NextMarker>" if more else ""
        prefixes = "".join(f"<CommonPrefixes><Prefix>{escape(name)}</Prefix></CommonPrefixes>" for name in folders)
        return (f'<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>{BUCKET}</Name><Prefix>{escape(prefix)}</Prefix>'
                f"<IsTruncated>{str(more).lower()}</IsTruncated><MaxKeys>1000</MaxKeys>{next_one}{''.join(contents)}{prefixes}"
                "</ListBucketResult>").encode()


def serve(objects, public, port):
    Server.objects, Server.keys, Server.public = objects, sorted(objects), json.dumps(public).encode()

    async def run():
        server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", 0)
        port.put(server.sockets[0].getsockname()[1])
        await server.serve_forever()
    asyncio.run(run())


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("keytrail")
    for name, default in (("hours", 168), ("files", 12), ("events", 200), ("runs", 5)):
        arguments.add_argument(f"--{name}", type=int, default=default)
    arguments = arguments.parse_args()
    objects, public = make(arguments.hours, arguments.files, arguments.events)
    port = multiprocessing.Queue()
    server = multiprocessing.Process(target=serve, args=(objects, public, port), daemon=True)
    server.start()
    url = f"http://127.0.0.1:{port.get()}"
    keys = f"/tmp/validate-{os.getpid()}.json"
    with open(keys, "w") as file:
        json.dump(public, file)
    environment = {**os.environ, "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "none", "AWS_REGION": REGION,
                   "AWS_DEFAULT_REGION": REGION, "AWS_ENDPOINT_URL_S3": url, "AWS_ENDPOINT_URL_CLOUDTRAIL": url}
    end = (BEGIN + datetime.timedelta(hours=arguments.hours, minutes=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    tools = {
        "keytrail validate": [arguments.keytrail, "validate", f"s3://{BUCKET}", "--public-keys", keys, "--endpoint-url", url, "--quiet"],
        "aws cloudtrail validate-logs": [sys.executable, "-m", "awscli", "cloudtrail", "validate-logs", "--trail-arn",
                                         f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/{TRAIL}", "--s3-bucket", BUCKET,
                                         "--start-time", "2025-03-01T00:00:00Z", "--end-time", end],
    }
    log_files = arguments.hours * arguments.files
    wanted = {"keytrail validate": str(arguments.hours), "aws cloudtrail validate-logs": f"{log_files}/{log_files} log files valid"}
    seconds = {name: [] for name in tools}
    for _ in range(arguments.runs):
        for name, command in tools.items():
            begun = time.monotonic()
            done = subprocess.run(command, env=environment, capture_output=True, text=True)
            seconds[name].append(time.monotonic() - begun)
            if done.returncode or wanted[name] not in done.stdout:
                sys.exit(f"{name}: exit code {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    os.remove(keys)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    size = sum(len(body) for body, _ in objects.values())
    print(f"{arguments.hours} digest files, {log_files} log files, {size / 1e6:.1f} MB compressed; median of {arguments.runs} runs in turns\n")
    print("| tool | seconds | log files/s |\n| --- | ---: | ---: |")
    for name, median in medians.items():
        print(f"| `{name}` | {median:.2f} | {log_files / median:,.0f} |")
    first, second = medians.values()
    print(f"\nRatio: {second / first:.1f}")


if __name__ == "__main__":
    main()
