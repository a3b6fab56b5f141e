#!/usr/bin/env python3
"""Make a ThreatFox CSV export for benchmarks: invented indicators, and those planted in a log.

Usage: bench_export.py PLANTED.csv RECORDS > export.csv

PLANTED.csv is what bench_synth.py writes beside its log. The other records are addresses (60 %), domains
(30 %) and SHA-256 hashes (10 %) that the log does not hold. The same arguments give the same bytes.
"""
import csv
import hashlib
import random
import sys

planted, count = sys.argv[1], int(sys.argv[2])
r = random.Random(7)
rows = []
for row in csv.DictReader(open(planted, encoding='utf-8')):
    if row['kind'] != 'ip':
        rows.append((row['value'], {'sha256': 'sha256_hash'}.get(row['kind'], row['kind'])))
while len(rows) < count:
    i = len(rows)
    if i % 10 < 6:
        # 5.0.0.0/8: the log's background has addresses of all ranges, so some few may match.
        value = (f'5.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255}:{r.randint(1, 65535)}', 'ip:port')
    elif i % 10 < 9:
        value = (f'd{i}.bad{r.randint(0, 9999)}.example', 'domain')
    else:
        value = (hashlib.sha256(str(i).encode()).hexdigest(), 'sha256_hash')
    rows.append(value)

print('# "first_seen_utc","ioc_id","ioc_value","ioc_type","threat_type","fk_malware","malware_alias",'
      '"malware_printable","last_seen_utc","confidence_level","is_compromised","reference","tags","anonymous","reporter"')
for i, (value, kind) in enumerate(rows):
    print(f'"2026-11-01 00:00:00", "{i + 1}", "{value}", "{kind}", "botnet_cc", "win.family{i % 200}", "None", '
          f'"Family {i % 200}", "", "{(50, 75, 90, 100)[i % 4]}", "False", "None", "C2,AS{i % 5000}", "0", "bench"')
print(f'# Number of entries: {len(rows)}', end='')
