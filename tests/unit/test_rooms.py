"""The rooms of include/: which may import which. No circle among files or rooms, no chain that nobody can follow."""

import ast
from functools import cache
from graphlib import TopologicalSorter

import pytest

from deployment.home import REPOSITORY

INCLUDE = REPOSITORY / "include"
FILES = {
    ".".join(file.relative_to(INCLUDE).with_suffix("").parts).removesuffix(".__init__"): file
    for file in INCLUDE.rglob("*.py")
}
FOR_ALL = "errors text days spec environment"
ROOMS = {
    **dict.fromkeys(FOR_ALL.split(), ""),
    "events": "",
    "storage": "",
    "postgres": "storage",
    "ftp": "storage",
    "transports": "ftp storage",
    "loader": "",
    "rules": "loader.line_numbers",
    "ledger": "postgres storage loader.line_numbers",
    "refused": "ledger loader storage postgres",
    "publish": "ledger storage postgres ftp rules.summarize",
    "planning": "ledger refused loader ftp postgres storage rules.valid_rows rules.exact",
    "run": "events ledger refused loader storage postgres ftp.delivery ftp.fetch",
    "cluster": "",
    "stream": "run rules loader ledger refused storage cluster",
    "pages": "ledger storage planning.known_days planning.known_pipelines planning.status planning.compared refused "
    "loader alerts.mends alerts.late",
    "alerts": "",
    "catalog": "pages ledger postgres.sql_types rules.summarize",
    "testing": "steps run refused.rows ledger storage transports postgres.sql_types",
    "steps": "storage postgres ftp loader rules ledger refused publish run stream pages",
}
PLUGINS = {"report_tab", "alert_listener"}
ABOVE = {"airflow", "commands", "daybook_airflow", "deployment", "dags", "plugins", "pipelines", *PLUGINS}
LONGEST_CHAIN = 20


@cache
def imported(module: str) -> set[str]:
    """Return what a module imports, by its full name: a.b for `from a import b`."""
    nodes = list(ast.walk(ast.parse(FILES[module].read_text())))
    found = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return found | {f"{n.module}.{alias.name}" for n in nodes if isinstance(n, ast.ImportFrom) for alias in n.names}


def used(module: str) -> set[str]:
    """Return the modules of include/ that a module imports."""
    found = {name if name in FILES else name.rpartition(".")[0] for name in imported(module)}
    return found & FILES.keys() - {module}


def room_of(module: str) -> str:
    """Return the room of a module: daybook.rules for daybook.rules.clean."""
    return ".".join(module.split(".")[:2])


def is_in(module: str, rooms: str) -> bool:
    """Return whether a module is one of these, or in one."""
    return any(f"{module}.".startswith(f"daybook.{room}.") for room in rooms.split())


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_what_the_table_allows_it(room: str) -> None:
    modules = [module for module in FILES if is_in(module, room)]
    assert modules, f"no file in the room {room}"
    allowed = f"{room} {FOR_ALL} {ROOMS[room]}"
    assert [(module, other) for module in modules for other in used(module) if not is_in(other, allowed)] == []


def test_the_business_imports_nothing_that_stands_above_it() -> None:
    business = [module for module in FILES if module.split(".")[0] == "daybook"]
    assert [(module, name) for module in business for name in imported(module) if name.split(".")[0] in ABOVE] == []


def test_no_file_imports_the_dag_files_or_the_plugins() -> None:
    above = {"dags", "plugins", *PLUGINS}
    assert [(module, name) for module in FILES for name in imported(module) if name.split(".")[0] in above] == []


def test_no_rooms_import_each_other() -> None:
    rooms: dict[str, set[str]] = {}
    for module in FILES:
        rooms.setdefault(room_of(module), set()).update({room_of(other) for other in used(module)} - {room_of(module)})
    TopologicalSorter(rooms).prepare()


def test_no_files_import_each_other_and_no_chain_of_imports_is_long() -> None:
    chains: dict[str, list[str]] = {}
    for module in TopologicalSorter({module: used(module) for module in FILES}).static_order():
        chains[module] = [module, *max((chains[other] for other in used(module)), key=len, default=[])]
    # daybook.testing is used by tests alone.
    longest = max((chain for module, chain in chains.items() if not is_in(module, "testing")), key=len)
    assert len(longest) <= LONGEST_CHAIN, longest
