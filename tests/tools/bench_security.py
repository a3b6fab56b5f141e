#!/usr/bin/env python3
"""Make a benchmark EVTX file of Windows' security auditing: connections (5156) and processes that begin (4688).
Python 3.11, standard library only (uses make_evtx.py beside it).

Usage:
  bench_security.py OUT.evtx [--connections 165000] [--processes 5000] [--distinct-ips 20000] [--planted 50] [--hits 150]

The defaults give 170,000 events in about 100 MB. The same arguments give the same bytes. A third of the connections are inbound.
Planted are addresses (203.0.113.x, as ip:port with port 4443) in --hits connections; OUT.evtx.planted.csv lists them as that of
bench_synth.py does. Each of these is of a process that has an event 4688 before it.
"""
import argparse
import csv
import datetime
import os
import random
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import make_evtx
from bench_synth import public_ip

SECURITY = {'Provider': 'Microsoft-Windows-Security-Auditing', 'Guid': '{54849625-5478-4994-A5BA-3E3B0328C30D}', 'Channel': 'Security'}
START = datetime.datetime(2026, 11, 10)
PROGRAMS = ('windows\\system32\\svchost.exe', 'program files\\google\\chrome\\application\\chrome.exe', 'windows\\system32\\lsass.exe')


def events(o, counts):
    r = random.Random(1)
    ips = [public_ip(r) for _ in range(o.distinct_ips)]
    kinds = [5156] * o.connections + [4688] * o.processes
    r.shuffle(kinds)
    # Not before the first process.
    hits = set(r.sample(range(o.connections // 10, o.connections), min(o.hits, o.connections // 2))) if o.planted else set()
    processes = [(4, 'System')]
    seen = 0
    for i, kind in enumerate(kinds):
        event = {'EventID': kind, 'TimeCreated': (START + datetime.timedelta(milliseconds=200 * i)).isoformat() + 'Z', **SECURITY}
        if kind == 4688:
            process = 1000 + 4 * len(processes), r.choice(PROGRAMS)
            processes.append(process)
            event['EventData'] = {
                'SubjectUserSid': 'S-1-5-18', 'SubjectUserName': 'WS01$', 'SubjectDomainName': 'EXAMPLE', 'SubjectLogonId': '0x3e7',
                'NewProcessId': hex(process[0]), 'NewProcessName': 'C:\\' + process[1], 'TokenElevationType': '%%1936', 'ProcessId': '0x254',
                'CommandLine': f'"C:\\{process[1]}" -k n{i} --seed {r.randint(0, 10 ** 12)}', 'TargetUserSid': 'S-1-0-0', 'TargetUserName': '-',
                'TargetDomainName': '-', 'TargetLogonId': '0x0', 'ParentProcessName': 'C:\\Windows\\System32\\services.exe', 'MandatoryLabel': 'S-1-16-16384'}
            yield event
            continue
        process = r.choice(processes[-50:])
        remote, port = r.choice(ips), r.choice(('443', '443', '80', '53', '8443'))
        if seen in hits:
            remote, port = f'203.0.113.{r.randint(1, o.planted)}', '4443'
            counts[remote] = counts.get(remote, 0) + 1
        event['EventData'] = {
            'ProcessID': str(process[0]), 'Application': f'\\device\\harddiskvolume3\\{process[1]}',
            'Direction': '%%14592' if seen % 3 == 0 and seen not in hits else '%%14593', 'SourceAddress': f'10.0.{r.randint(0, 3)}.{r.randint(1, 254)}',
            'SourcePort': str(r.randint(49152, 65535)), 'DestAddress': remote, 'DestPort': port, 'Protocol': '6', 'FilterRTID': '65865',
            'LayerName': '%%14611', 'LayerRTID': '48', 'RemoteUserID': 'S-1-0-0', 'RemoteMachineID': 'S-1-0-0'}
        seen += 1
        yield event


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('out')
    for name, value in (('connections', 165000), ('processes', 5000), ('distinct-ips', 20000), ('planted', 50), ('hits', 150)):
        p.add_argument('--' + name, type=int, default=value)
    o = p.parse_args()
    counts = {}
    records, _ = make_evtx.write(o.out, events(o, counts))
    with open(o.out + '.planted.csv', 'w', newline='', encoding='utf-8') as f:
        w = csv.writer(f, lineterminator='\n')
        w.writerow(('kind', 'value', 'count'))
        for ip, count in sorted(counts.items()):
            w.writerow(('ip:port', ip + ':4443', count))
    print(f'{o.out}: {records} events, {os.path.getsize(o.out)} bytes')


if __name__ == '__main__':
    main()
