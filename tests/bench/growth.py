"""Draws what becomes of time and memory as a batch grows."""

from typing import NamedTuple

WIDTH, HEIGHT = 720, 300
LEFT, TOP, BOTTOM, GAP = 60, 60, 50, 80
PANEL = 275
INK, GRID, LINE = "#24292f", "#d0d7de", "#0969da"


class Point(NamedTuple):
    """A batch of so many lines, and what it took."""

    lines: int
    milliseconds_a_line: float
    mebibytes: float


def draw(points):
    """The picture, as the text of an SVG file."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        'font-family="sans-serif" font-size="12" role="img" aria-label="Time for a line falls as a batch grows; memory '
        'stays the same">',
        # A background of its own: the page that shows it may be dark.
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
    ]
    parts += _panel(LEFT, "time for a line (ms)", [point.lines for point in points],
                    [point.milliseconds_a_line for point in points], "{:.2f}")
    parts += _panel(LEFT + PANEL + GAP, "peak memory (MiB)", [point.lines for point in points],
                    [point.mebibytes for point in points], "{:.1f}")
    return "\n".join([*parts, "</svg>", ""])


def _panel(left, title, lines, values, form):
    """One curve: each batch has the same distance to the next, ten times as large; each point is labelled."""
    bottom, right = HEIGHT - BOTTOM, left + PANEL
    highest = 1.2 * max(values)
    places = [(left + PANEL * index / (len(lines) - 1), bottom - (bottom - TOP) * value / highest)
              for index, value in enumerate(values)]
    yield _text(left, TOP - 30, title, "start", "bold")
    yield f'<path d="M{left:.0f} {TOP}V{bottom}H{right:.0f}" fill="none" stroke="{GRID}"/>'
    curve = " ".join(f"{x:.0f},{y:.0f}" for x, y in places)
    yield f'<polyline points="{curve}" fill="none" stroke="{LINE}" stroke-width="2"/>'
    for (x, y), count, value in zip(places, lines, values, strict=True):
        yield f'<circle cx="{x:.0f}" cy="{y:.0f}" r="3" fill="{LINE}"/>'
        yield _text(x, y - 9, form.format(value))
        yield _text(x, bottom + 18, f"{count:,}")
    yield _text((left + right) / 2, bottom + 38, "lines in the batch")


def _text(x, y, text, anchor="middle", weight="normal"):
    """Text with a white edge, so that a line behind it does not hide it."""
    return (f'<text x="{x:.0f}" y="{y:.0f}" fill="{INK}" text-anchor="{anchor}" font-weight="{weight}" '
            f'stroke="white" stroke-width="3" paint-order="stroke">{text}</text>')
