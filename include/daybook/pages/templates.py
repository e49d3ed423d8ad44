"""The templates of pages that people see: values are escaped, and an unknown name is an error."""

from decimal import Decimal
from functools import cache
from typing import Any

import jinja2
from markupsafe import Markup

from daybook.text import shown

NUMBERS = (int, Decimal)


@cache
def template(name: str) -> jinja2.Template:
    """Return the template `<name>.html.jinja`, with the filter `shown` and the test `number` for the values of
    tables."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("daybook.pages", ""),
        autoescape=True,
        # Also in a table's text, no sign may turn the rest of a line around.
        finalize=lambda value: shown(value) if isinstance(value, str) and not isinstance(value, Markup) else value,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["shown"] = _shown
    environment.tests["number"] = lambda value: isinstance(value, NUMBERS)
    return environment.get_template(f"{name}.html.jinja")


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, NUMBERS) and not isinstance(value, bool) else str(value)
