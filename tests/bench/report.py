# SPDX-License-Identifier: GPL-2.0-or-later
"""report.py - what the benchmarks print: the machine, tables in Markdown, a plot as SVG

A plot has lines over a logarithmic x axis, or points over names. Each point is the median of its
values, with a bar from the lowest to the highest: the bar is how noisy the machine was.
"""

import html
import math
import os
import pathlib
import platform
import statistics

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 360, 70, 170, 40, 50
COLOURS = ("#1b6ca8", "#c1440e", "#3a7d44", "#6b4e9b", "#8a6d00", "#444444")


class Machine:
    """What it is, and how much of it others took until describe()."""

    def __init__(self):
        self.load = os.getloadavg()[0]
        self.before = self._ticks()

    @staticmethod
    def _ticks():
        return [int(word) for word in pathlib.Path("/proc/stat").read_text().splitlines()[0].split()[1:]]

    @staticmethod
    def _model():
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
        return names[0] if names else platform.machine()

    def describe(self):
        passed = [after - before for after, before in zip(self._ticks(), self.before)]
        stolen = 100 * passed[7] / max(sum(passed), 1)
        return (f"Measured on {os.cpu_count()} CPUs ({self._model()}), Linux {platform.release().split('-')[0]}; "
                f"load {self.load:.1f} before, {stolen:.1f} % stolen.")


def table(head, rows):
    """Markdown."""
    lines = ["| " + " | ".join(str(cell) for cell in row) + " |" for row in (head, *rows)]
    return "\n".join([lines[0], "|" + "---|" * len(head), *lines[1:]])


def _ceiling(value):
    """The next round number."""
    power = 10 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if step * power >= value)


class Plot:
    """series: {name: {x: [values]}}, where all x are numbers, or all are names."""

    def __init__(self, title, x_name, y_name, series):
        self.places = list(dict.fromkeys(x for points in series.values() for x in points))
        self.max = _ceiling(max(max(values) for points in series.values() for values in points.values()))
        self.title, self.x_name, self.y_name, self.series = title, x_name, y_name, series

    def _x(self, x):
        at = [math.log10(it) if isinstance(it, (int, float)) else place for place, it in enumerate(self.places)]
        share = (at[self.places.index(x)] - min(at)) / ((max(at) - min(at)) or 1)
        return LEFT + 25 + share * (WIDTH - LEFT - RIGHT - 50)

    def _y(self, y):
        return HEIGHT - BOTTOM - y / self.max * (HEIGHT - TOP - BOTTOM)

    @staticmethod
    def _text(x, y, words, anchor="middle", turn=""):
        return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{turn}>{html.escape(str(words))}</text>'

    @staticmethod
    def _line(x1, y1, x2, y2, colour, width=1):
        return (f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
                f'stroke-width="{width}"/>')

    def _axes(self):
        middle = (TOP + HEIGHT - BOTTOM) / 2
        yield self._text(WIDTH / 2, TOP / 2, self.title)
        yield self._text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, self.x_name)
        yield self._text(18, middle, self.y_name, turn=f' transform="rotate(-90 18 {middle:.1f})"')
        for step in range(6):
            value = self.max * step / 5
            yield self._line(LEFT, self._y(value), WIDTH - RIGHT, self._y(value), "#dddddd")
            yield self._text(LEFT - 6, self._y(value) + 4, f"{value:.4g}", "end")
        for x in self.places:
            yield self._text(self._x(x), HEIGHT - BOTTOM + 18, f"{x:,}" if isinstance(x, int) else x)

    def _points(self, name, number):
        colour = COLOURS[number % len(COLOURS)]
        shift = (number - (len(self.series) - 1) / 2) * 5    # so that the bars do not hide each other
        points = [(self._x(x) + shift, values) for x, values in self.series[name].items()]
        if all(isinstance(x, (int, float)) for x in self.places):
            path = " ".join(f"{x:.1f},{self._y(statistics.median(values)):.1f}" for x, values in points)
            yield f'<polyline points="{path}" fill="none" stroke="{colour}"/>'
        for x, values in points:
            yield self._line(x, self._y(min(values)), x, self._y(max(values)), colour, 2)
            yield f'<circle cx="{x:.1f}" cy="{self._y(statistics.median(values)):.1f}" r="3.5" fill="{colour}"/>'
        y = TOP + 12 + 18 * number
        yield f'<circle cx="{WIDTH - RIGHT + 14}" cy="{y - 4}" r="3.5" fill="{colour}"/>'
        yield self._text(WIDTH - RIGHT + 24, y, name, "start")

    def svg(self):
        parts = [*self._axes(), *(part for number, name in enumerate(self.series)
                                  for part in self._points(name, number))]
        return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
                          'font-family="sans-serif" font-size="12">',
                          f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>', *parts, "</svg>", ""])
