"""report.html: what report.json says, for a person, in one file that needs no network."""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Iterable, Iterator
from html import escape
from typing import Any

from pipeline import storage
from pipeline.reports.counts import FOLDERS, RecordCounts
from pipeline.reports.report import Report, as_words
from transforms.row_errors import EXCLUDED, REJECTED

_LINES_LOOKED_AT = 10_000
_MOST_PICTURE = 2 << 20
_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;color:#222;background:#fff;max-width:60rem;margin:0 auto;padding:1rem}
h1{font-size:1.4rem;margin:0}h2{font-size:1.1rem;margin:1.8rem 0 .4rem}.s{color:#555}
.t{overflow-x:auto}table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.3rem .6rem .3rem 0;border-bottom:1px solid #ddd;vertical-align:top}
td:first-child{overflow-wrap:anywhere}td.n{white-space:nowrap}th+th,td+td{text-align:right}code{font-size:.85rem;overflow-wrap:anywhere}
.b{display:flex;height:.9rem;background:#eee;margin:.2rem 0 .9rem}.b i{min-width:2px}
.used{background:#0072b2}.excluded{background:#999}.rejected{background:#d55e00}
.k i{display:inline-block;width:.8rem;height:.8rem;margin:0 .3rem 0 .9rem}img{max-width:100%}
"""


def render(report: Report, run_folder: str, destination: str) -> bytes:
    """The page; examples come from the run's quarantine and excluded files, pictures from what was published."""
    parts = [
        f"<h1>{escape(report.job)}: {escape(report.status)}</h1>",
        f'<p class="s">run {escape(report.run_id)}, exit code {report.exit_code}</p>',
        f"<p>{escape(report.message)}</p>" if report.message else "",
        *_inputs(report),
        *_reasons(report, run_folder),
        *_table("Files", ["file", "rows", "bytes"], [[n, e["rows"], e["bytes"]] for n, e in report.outputs.items()]),
        *_table("Figures", ["figure", "value"], [[name, as_words(value)] for name, value in report.figures.items()]),
        *_table("Notes", [], [[note] for note in report.notes]),
        *_pictures(report, destination),
        *_table(
            "Seconds", ["stage", "seconds"], [[name, round(s, 1)] for name, s in report.seconds.items() if s >= 0.05]
        ),
        f'<p class="s">{escape(as_words(report.versions))}</p>',
    ]
    head = '<!doctype html><html lang="en"><meta charset="utf-8">'
    head += f'<meta name="viewport" content="width=device-width"><title>{escape(report.job)}</title>'
    return f"{head}<style>{_STYLE}</style>\n{chr(10).join(filter(None, parts))}\n</html>\n".encode()


def _inputs(report: Report) -> Iterator[str]:
    if report.counts:
        keys = " ".join(f'<i class="{kind}"></i>{kind}' for kind in ("used", "excluded", "rejected"))
        yield f'<h2>Records</h2><p class="k">{keys}</p>'
    for name, counts in report.counts.items():
        numbers = {
            "used": counts.used,
            "excluded": counts.excluded_total,
            "rejected": counts.rejected_total,
        }
        bar = "".join(f'<i class="{kind}" style="flex:{n}"></i>' for kind, n in numbers.items() if n)
        texts = ", ".join(f"{n:,} {kind}" for kind, n in numbers.items() if n or kind == "used")
        yield f'<div><b>{escape(name)}</b>: {counts.read:,} read, {texts}<div class="b">{bar}</div></div>'


def _reasons(report: Report, run_folder: str) -> Iterator[str]:
    """Each reason with its first record, as paragraphs: a table is too wide for a phone."""
    for name, counts in report.counts.items():
        for kind, found in ((REJECTED, counts.rejected), (EXCLUDED, counts.excluded)):
            first = _first_ones(run_folder, FOLDERS[kind], counts) if found else {}
            for reason, number in found.items():
                example = escape(first.get(reason, ""))
                yield f"<p><b>{escape(name)}</b>: {number:,} {kind}, {escape(reason)}<br><code>{example}</code></p>"


def _first_ones(run_folder: str, folder: str, counts: RecordCounts) -> dict[str, str]:
    """The first record of each reason: its place, detail and the beginning of its text."""
    path = storage.join(run_folder, folder, f"{counts.name}.jsonl")
    first: dict[str, str] = {}
    if storage.exists(path):
        for line in itertools.islice(storage.read_lines(path), _LINES_LOOKED_AT):
            row = json.loads(line)
            place = f"{row['file'].rpartition('/')[2]}, {counts.unit} {row['position']}"
            first.setdefault(row["reason"], f"{place}: {row['detail'] or ''} | {(row['raw'] or '')[:200]}")
    return first


def _pictures(report: Report, destination: str) -> Iterator[str]:
    for name, entry in report.outputs.items():
        if name.endswith(".png") and 0 < (entry["bytes"] or 0) <= _MOST_PICTURE:
            content = base64.b64encode(storage.read_bytes(storage.join(destination, name))).decode()
            yield f'<h2>{escape(name)}</h2><img alt="{escape(name)}" src="data:image/png;base64,{content}">'


def _table(title: str, headers: list[str], rows: Iterable[list[Any]]) -> Iterator[str]:
    lines = ["<tr>" + "".join(_cell(value) for value in row) + "</tr>" for row in rows]
    if lines:
        top = "".join(f"<th>{escape(name)}</th>" for name in headers)
        yield f'<h2>{escape(title)}</h2><div class="t"><table><tr>{top}</tr>{"".join(lines)}</table></div>'


def _cell(value: Any) -> str:
    if isinstance(value, int | float):
        return f'<td class="n">{value:,}</td>'
    return f"<td>{'-' if value is None else escape(str(value))}</td>"
