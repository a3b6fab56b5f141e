#!/usr/bin/env python3
"""Print what is in the helper as a CycloneDX 1.5 SBOM: each crate that is built into it for a target.

Usage: tools/sbom.py TARGET > threatfox.cdx.json

Taken from `cargo metadata`, so from Cargo.lock. The same lock gives the same bytes: no time, no serial number.
"""
import json
import subprocess
import sys

target = sys.argv[1]
meta = json.loads(subprocess.run(
    ['cargo', 'metadata', '--locked', '--format-version', '1', '--filter-platform', target],
    check=True, capture_output=True).stdout)
packages = {p['id']: p for p in meta['packages']}
nodes = {n['id']: n for n in meta['resolve']['nodes']}
root = next(p for p in meta['packages'] if p['name'] == 'threatfox-cli')


def normal(node):
    """The dependencies that are built in: neither for tests nor for the build."""
    return [d['pkg'] for d in node['deps'] if any(k['kind'] is None for k in d['dep_kinds'])]


def purl(package):
    return f"pkg:cargo/{package['name']}@{package['version']}"


built, todo = set(), [root['id']]
while todo:
    package = todo.pop()
    if package not in built:
        built.add(package)
        todo += normal(nodes[package])


def component(package):
    result = {'type': 'library', 'bom-ref': purl(package), 'name': package['name'],
              'version': package['version'], 'purl': purl(package)}
    if package['license']:
        result['licenses'] = [{'expression': package['license'].replace('/', ' OR ')}]
    return result


json.dump({
    'bomFormat': 'CycloneDX', 'specVersion': '1.5', 'version': 1,
    'metadata': {'component': component(root) | {'type': 'application', 'name': 'threatfox'}},
    'components': [component(packages[p]) for p in sorted(built, key=lambda p: purl(packages[p])) if p != root['id']],
    'dependencies': [{'ref': purl(packages[p]), 'dependsOn': sorted(purl(packages[d]) for d in normal(nodes[p]))}
                     for p in sorted(built, key=lambda p: purl(packages[p]))],
}, sys.stdout, indent=1)
print()
