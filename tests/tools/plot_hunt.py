#!/usr/bin/env python3
"""Draw what tests/engine/plots.sh measured: the hunt's cost against the feed's size and against the log's.

Usage: plot_hunt.py hunt.csv FOLDER      (writes FOLDER/hunt-by-keys.svg and FOLDER/hunt-by-events.svg)

Standard library only. Processor time is drawn, which other processes disturb less than the time by the clock.
"""
import csv
import os
import sys

WIDTH, HEIGHT, LEFT, BOTTOM, TOP, GAP = 720, 260, 56, 44, 34, 96
PANEL = (WIDTH - 2 * LEFT - GAP + 32) / 2
COLOURS = {'bare': '#7a7a7a', 'hunt': '#c0392b'}
NAMES = {'bare': 'bare parse_evtx', 'hunt': 'the hunt, all kinds'}


def short(n):
    return f'{n / 1e6:g}M' if n >= 1e6 else f'{n / 1e3:g}k'


def panel(x0, title, x_label, series):
    """A plot with the origin in it: lines of points by name."""
    x_max = max(x for points in series.values() for x, _ in points)
    y_max = max(y for points in series.values() for _, y in points) * 1.08
    step = next(s for s in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000) if y_max / s <= 6)
    across = lambda x: x0 + PANEL * x / x_max
    up = lambda y: HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * y / y_max
    yield f'<text x="{x0}" y="{TOP - 16}" font-weight="bold">{title}</text>'
    for y in range(0, int(y_max) + 1, step):
        yield f'<path d="M{x0} {up(y):.1f}h{PANEL:.1f}" stroke="#ddd"/>'
        yield f'<text x="{x0 - 6}" y="{up(y) + 4:.1f}" text-anchor="end">{y}</text>'
    for x in sorted({x for points in series.values() for x, _ in points}):
        if x >= x_max / 20:
            yield f'<text x="{across(x):.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{short(x)}</text>'
    yield f'<text x="{x0 + PANEL / 2:.1f}" y="{HEIGHT - 10}" text-anchor="middle">{x_label}</text>'
    for name, points in series.items():
        line = ' '.join(f'{across(x):.1f},{up(y):.1f}' for x, y in sorted(points))
        yield f'<polyline points="{line}" fill="none" stroke="{COLOURS[name]}" stroke-width="2"/>'
        for x, y in points:
            yield f'<circle cx="{across(x):.1f}" cy="{up(y):.1f}" r="3" fill="{COLOURS[name]}"/>'


def draw(path, x_label, column, rows):
    def series(value):
        return {way: [(int(r[column]), float(r[value])) for r in rows if r['way'] == way] for way in COLOURS}
    second = LEFT + PANEL + GAP - 32
    parts = [*panel(LEFT, 'Processor time, s', x_label, series('cpu_seconds')),
             *panel(second, 'Peak memory, MiB', x_label, series('peak_mib'))]
    for i, (way, name) in enumerate(NAMES.items()):
        parts.append(f'<text x="{second + PANEL}" y="{HEIGHT - BOTTOM - 8 - 16 * i}" text-anchor="end" '
                     f'fill="{COLOURS[way]}">{name}</text>')
    with open(path, 'w', encoding='utf-8') as f:
        f.write(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
                f'font-size="12">\n<rect width="100%" height="100%" fill="#fff"/>\n' + '\n'.join(parts) + '\n</svg>\n')


table, folder = sys.argv[1:]
rows = list(csv.DictReader(open(table, encoding='utf-8')))
draw(os.path.join(folder, 'hunt-by-keys.svg'), 'keys in the feed (a log of 140,000 events)', 'keys',
     [r for r in rows if r['events'] == '140000'])
draw(os.path.join(folder, 'hunt-by-events.svg'), 'events in the log (a feed of 100,000 keys)', 'events',
     [r for r in rows if r['keys'] == '100000'])
