#!/usr/bin/env python3
"""Measure `threatfox scan` against what a program that reads a log can hope for: time and peak memory of each.

Usage: bench_scan.py THREATFOX BARE_EVTX LOG FEED...

Each row is the fastest of three runs. No task shows less memory than this script has, as each starts as a copy of it. Python 3, standard library only, on Linux or macOS.
"""
import os
import subprocess
import sys
import time

threatfox, bare_evtx, log, *feeds = sys.argv[1:]
size = os.path.getsize(log)


def run(*command):
    """-> seconds, MiB"""
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                               env=os.environ | {'LC_ALL': 'C'})
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status) > 1:
        sys.exit(f"{' '.join(command)}: {said.decode()}")
    kib = usage.ru_maxrss / (1024 if sys.platform == 'darwin' else 1)
    return time.monotonic() - start, kib / 1024


print(f"{'task':44} {'seconds':>8} {'MB/s':>7} {'MiB':>6}   ({size / 1e6:.0f} MB)")
tasks = [
    ('cat LOG > /dev/null', ['cat', log]),
    ('grep -c (a memchr pass)', ['grep', '-caF', 'in no log', log]),  # a match would end it: it knows /dev/null
    ('evtx crate, bare parse', [bare_evtx, log]),
    ('scan, no event wanted', [threatfox, 'scan', '--before', '1', log, '-o', '/dev/null']),
]
tasks += [(f'scan --feed {os.path.basename(f)}', [threatfox, 'scan', '--feed', f, '--met', '/dev/null', log, '-o', '/dev/null'])
          for f in feeds]
for name, command in tasks:
    seconds, mib = min(run(*command) for _ in range(3))
    print(f'{name:44} {seconds:8.3f} {size / 1e6 / seconds:7.0f} {mib:6.1f}')
