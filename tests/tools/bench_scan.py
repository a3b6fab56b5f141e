#!/usr/bin/env python3
"""Measure `threatfox scan` against what a program that reads a log can hope for: time and peak memory of each.

Usage: bench_scan.py THREATFOX BARE_EVTX LOG FEED...

Each row is the fastest of three runs, with its time and its processor time. The last row reads a log of 1 GB (or of so many GB as
BENCH_GB says), which is the chunks of LOG over and over: the memory must be that of LOG. No task shows less memory than this script has, as each starts as a copy of it. Python 3, standard library only, on Linux or macOS.
"""
import os
import shutil
import subprocess
import sys
import time

threatfox, bare_evtx, log, *feeds = sys.argv[1:]
size = os.path.getsize(log)


def run(*command):
    """-> seconds, of the processor, MiB"""
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                               env=os.environ | {'LC_ALL': 'C'})
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status) > 1:
        sys.exit(f"{' '.join(command)}: {said.decode()}")
    kib = usage.ru_maxrss / (1024 if sys.platform == 'darwin' else 1)
    return time.monotonic() - start, usage.ru_utime + usage.ru_stime, kib / 1024


def grown(path, times):
    """Write the log with its chunks so many times: a chunk stands for itself."""
    with open(log, 'rb') as source, open(path, 'wb') as target:
        target.write(source.read(4096))
        for _ in range(times):
            source.seek(4096)
            shutil.copyfileobj(source, target)
    return path


large = grown(log + '.large', round(float(os.environ.get('BENCH_GB', '1')) * 1e9 / size))


def scan(feed, file):
    return [threatfox, 'scan', '--feed', feed, '--met', '/dev/null', file, '-o', '/dev/null']


print(f"{'task':44} {'seconds':>8} {'CPU, s':>8} {'MB/s':>7} {'MiB':>6}   ({size / 1e6:.0f} MB)")
tasks = [
    ('cat LOG > /dev/null', ['cat', log]),
    ('grep -c (a memchr pass)', ['grep', '-caF', 'in no log', log]),  # a match would end it: it knows /dev/null
    ('evtx crate, bare parse', [bare_evtx, log]),
    ('scan, no event wanted', [threatfox, 'scan', '--before', '1', log, '-o', '/dev/null']),
]
tasks += [(f'scan --feed {os.path.basename(feed)}', scan(feed, log)) for feed in feeds]
tasks += [(f'the same, a log of {os.path.getsize(large) / 1e9:.1f} GB', scan(feeds[0], large))]
for name, command in tasks:
    seconds, cpu, mib = min(run(*command) for _ in range(3))
    read = os.path.getsize(large if large in command else log)
    print(f'{name:44} {seconds:8.3f} {cpu:8.3f} {read / 1e6 / seconds:7.0f} {mib:6.1f}')
os.remove(large)
