#!/usr/bin/env python3
"""Make a feed of a ThreatFox CSV export the plain way: csv.reader and a dict. For comparison in `make bench`.

Usage: feed_by_dict.py EXPORT.csv FEED.csv

It does the work of `threatfox normalize` on clean data: keys, merging, sorting, writing. It does not check or repair
values, knows no IDN, shared hosts or bounds, and does not say what it left out. Prints its time in seconds and its
peak of memory in KiB.
"""
import csv
import re
import resource
import sys
import time
from urllib.parse import urlsplit

COLUMNS = ('first_seen', 'id', 'value', 'type', 'threat', 'malware', 'alias', 'printable', 'last_seen', 'confidence',
           'compromised', 'reference', 'tags', 'anonymous', 'reporter')
ORDER = ('ip', 'domain', 'url_host', 'url', 'md5', 'sha1', 'sha256')
SPECIAL = re.compile(r'([\\.+*?()|\[\]{}^$])')


def keys(kind, value):
    """The keys of an indicator: kind, key, port."""
    if kind == 'ip:port':
        address, port = value.rsplit(':', 1)
        yield 'ip', address, int(port)
    elif kind == 'domain':
        yield 'domain', value.lower().rstrip('.'), 0
    elif kind == 'url':
        parts = urlsplit(value)
        yield 'url', 'url:' + value.split('#')[0], 0
        if parts.hostname:
            yield 'url_host', parts.hostname, parts.port or 0
    else:
        name = kind.removesuffix('_hash')
        yield name, f'{name}:{value.lower()}', 0


def regex(kind, key):
    start = r'(^|\.)' if kind == 'domain' else '^'
    return start + SPECIAL.sub(r'\\\1', key.split(':', 1)[1] if ORDER.index(kind) > 2 else key) + '$'


def stamp(text):
    return text.replace(' ', 'T') + 'Z' if text else ''


def main(source, target):
    feed = {}
    with open(source, encoding='utf-8', newline='') as file:
        for row in csv.reader(file, skipinitialspace=True):
            if not row or row[0].startswith('#'):
                continue
            record = dict(zip(COLUMNS, row))
            confidence = int(record['confidence'] or 50)
            if confidence < 50:
                continue
            number = int(record['id'])
            activity = max(record['first_seen'], record['last_seen'])
            for kind, key, port in keys(record['type'], record['value']):
                entry = feed.get(key)
                if entry is None:
                    entry = feed[key] = {
                        'kind': kind, 'newest': ('', 0), 'ports': set(), 'malware': set(), 'threats': set(),
                        'confidence': 0, 'first': record['first_seen'], 'last': '', 'ids': set(), 'compromised': False}
                if ORDER.index(kind) < ORDER.index(entry['kind']):
                    entry['kind'], entry['newest'] = kind, ('', 0)
                if kind == entry['kind'] and (activity, number) > entry['newest']:
                    entry['newest'] = (activity, number)
                    entry['ioc'], entry['type'] = record['value'], record['type']
                if port:
                    entry['ports'].add(port)
                entry['malware'].add(record['printable'] or record['malware'])
                entry['threats'].add(record['threat'])
                entry['confidence'] = max(entry['confidence'], confidence)
                entry['first'] = min(entry['first'], record['first_seen'])
                entry['last'] = max(entry['last'], record['last_seen'])
                entry['ids'].add(number)
                entry['compromised'] |= record['compromised'] == 'True'
    with open(target, 'w', encoding='utf-8', newline='') as file:
        out = csv.writer(file, lineterminator='\n')
        out.writerow(('key', 'kind', 'ioc', 'ioc_type', 'regex', 'ports', 'malware', 'threat_type', 'confidence',
                      'first_seen', 'last_seen', 'id', 'iocs', 'compromised'))
        for key, e in sorted(feed.items()):
            is_hash = ORDER.index(e['kind']) > 3
            out.writerow((
                key, e['kind'], '' if is_hash else e['ioc'], e['type'], regex(e['kind'], key),
                ';'.join(map(str, sorted(e['ports']))), ';'.join(sorted(e['malware'])), ';'.join(sorted(e['threats'])),
                e['confidence'], stamp(e['first']), stamp(e['last']), e['newest'][1], len(e['ids']),
                str(e['compromised']).lower()))


start = time.monotonic()
main(*sys.argv[1:])
print(time.monotonic() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
