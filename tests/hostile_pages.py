"""What a browser would find in a page, for the tests of what may not be in one."""

from __future__ import annotations

import html.parser
from dataclasses import dataclass, field
from urllib.parse import urlsplit

ELEMENTS = """html head title meta body main h1 h2 h3 h4 h5 h6 p br hr em strong del code pre span div
    blockquote ul ol li dl dt dd table thead tbody tr th td a img sup abbr input section"""
ATTRIBUTES = """class id href src alt title role rel style name content type disabled checked start
    align lang aria-label data-footnotes data-footnote-ref data-footnote-backref data-footnote-backref-idx"""
STYLES = ("", "text-align:left", "text-align:right", "text-align:center")  # of table cells


@dataclass
class Page(html.parser.HTMLParser):
    """A parsed page; `faults` names each element, attribute and address that has no business there."""

    faults: list[str] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    title: str = ""
    path: str = ""
    inside: str = ""

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    @classmethod
    def of(cls, source: str) -> Page:
        page = cls()
        page.feed(source)
        page.close()
        return page

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside = tag
        values = {name: value or "" for name, value in attrs}
        if tag == "meta":
            self.path = values["content"]
        style = values.get("style", "").replace(" ", "")
        expected = tag in ELEMENTS.split() and set(values) <= set(ATTRIBUTES.split()) and style in STYLES
        if not expected:
            self.faults.append(f"<{tag} {values}>")
        for url in (values.get("href"), values.get("src")):
            if url is not None and not _is_harmless(url):
                self.faults.append(f"<{tag} to {url}>")

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        self.text.append(data)
        if self.inside == "title":
            self.title += data

    def handle_comment(self, data: str) -> None:
        if data != "more":  # the excerpt separator of one of the sites
            self.faults.append(f"<!--{data}-->")

    def handle_pi(self, data: str) -> None:
        self.faults.append(f"<?{data}>")

    def unknown_decl(self, data: str) -> None:
        self.faults.append(f"<![{data}]>")


def _is_harmless(url: str) -> bool:
    """A page of the site itself, or of the one host that it links to."""
    parts = urlsplit("".join(url.split()))
    known = parts.scheme in ("http", "https") and parts.netloc.lower() == "known.example"
    return known or (not parts.scheme and not parts.netloc and "\\" not in url)
