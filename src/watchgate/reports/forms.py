"""The forms in which a report can be had."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from watchgate.reports import html, markdown, tabular
from watchgate.reports.activity import Activity

FORMS: Mapping[str, Callable[[Activity], str]] = {
    "md": markdown.render,
    "html": html.render,
    "csv": tabular.render,
}
"""Each writes the same octets for the same activity."""
