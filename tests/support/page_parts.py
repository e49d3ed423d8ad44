"""A page as a test asks about it: its tags, and the cells of its tables."""

from html.parser import HTMLParser


class Parts(HTMLParser):
    """The opening tags of a page with their attributes, and the cells of its tables by rows."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[list[str]] = []
        self._is_in_cell = False
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self._is_in_cell = True

    def handle_endtag(self, tag: str) -> None:
        self._is_in_cell = self._is_in_cell and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        if self._is_in_cell:
            self.rows[-1][-1] += data

    def count(self, tag: str, word: str = "") -> int:
        """Return how many tags there are, of a class if one is named."""
        return sum(one == tag and word in (words.get("class") or "") for one, words in self.tags)
