"""A page as a browser reads it: its elements with their attributes and texts. A tag that does not fit is an error."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

EMPTY = {"meta", "link", "br", "hr", "img", "input", "rect", "polyline", "circle", "path", "line"}


@dataclass
class Element:
    """An element: its tag, its attributes, and what is in it."""

    tag: str
    attributes: dict[str, str]
    inside: list["Element | str"] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Return all text in it, with single spaces."""
        parts = (one if isinstance(one, str) else one.text for one in self.inside)
        return " ".join(" ".join(parts).split())

    def all(self, tag: str = "", **attributes: str) -> list["Element"]:
        """Return the elements in it with a tag and these attributes, in their order; class_ is one of its classes."""
        return [one for one in self.within() if tag in ("", one.tag) and one.has(attributes)]

    def one(self, tag: str = "", **attributes: str) -> "Element":
        """Return the only such element."""
        found = self.all(tag, **attributes)
        assert len(found) == 1, (tag, attributes, [one.text for one in found])
        return found[0]

    def has(self, attributes: dict[str, str]) -> bool:
        """Return whether it has these attributes."""
        own = self.attributes
        return all(
            value in own.get("class", "").split() if name == "class_" else own.get(name) == value
            for name, value in attributes.items()
        )

    def within(self) -> Iterator["Element"]:
        """Yield all elements in it."""
        for one in self.inside:
            if isinstance(one, Element):
                yield one
                yield from one.within()

    def rows(self) -> list[list[str]]:
        """Return the cells' texts of a table's body."""
        body = self.one("tbody")
        return [[cell.text for cell in row.inside if isinstance(cell, Element)] for row in body.all("tr")]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Element("", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].inside.append(element)
        if tag not in EMPTY:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].inside.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> ends <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if self.open[-1].tag != "style":
            self.open[-1].inside.append(data)


def hidden_fields(form: Element) -> dict[str, str]:
    """Return the fields of a form that a person does not see, as a browser sends them."""
    return {field.attributes["name"]: field.attributes["value"] for field in form.all("input", type="hidden")}


def read_page(page: bytes | str) -> Element:
    """Return a page's elements."""
    reader = _Reader()
    reader.feed(page if isinstance(page, str) else page.decode())
    reader.close()
    assert reader.open == [reader.root], [element.tag for element in reader.open]
    return reader.root
