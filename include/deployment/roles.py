"""Who may do what in Airflow's UI under the FAB auth manager: roles beside Airflow's own `Admin`.

A reader sees pages, numbers and states, and nothing of what is in a row. An operator also reads logs, starts runs,
answers held days and rolls back, and removes nothing. The two ...OfSome may do the same for the pipelines that a
further role names: `can_read` and `can_edit` of the resource `DAG:<name>`.
"""

import json

Permissions = frozenset[tuple[str, str]]

ADMIN, READER, OPERATOR = "Admin", "Reader", "Operator"
READER_OF_SOME, OPERATOR_OF_SOME = "ReaderOfSome", "OperatorOfSome"


def _all(action: str, *resources: str) -> Permissions:
    return frozenset((action, resource) for resource in resources)


_SEEN = (
    _all("can_read", "DAG Runs", "Task Instances", "DAG Versions", "DAG Warnings", "DAG Dependencies", "HITL Detail")
    | _all("can_read", "Assets", "Asset Aliases", "Backfills", "Website", "My Profile", "My Password")
    | _all("can_edit", "My Profile", "My Password")
    | _all("menu_access", "Browse", "DAGs", "DAG Runs", "Assets", "Task Instances", "HITL Detail")
)
_DONE = (
    _SEEN
    | _all("can_read", "Task Logs", "XComs", "DAG Code", "Pools", "ImportError", "Jobs", "Cluster Activity")
    | _all("can_create", "DAG Runs", "Task Instances", "Backfills")
    | _all("can_edit", "DAG Runs", "Task Instances", "Backfills", "HITL Detail")
)
ROLES: dict[str, Permissions] = {
    READER: _SEEN | _all("can_read", "DAGs"),
    OPERATOR: _DONE | _all("can_read", "DAGs") | _all("can_edit", "DAGs"),
    READER_OF_SOME: _SEEN,
    OPERATOR_OF_SOME: _DONE,
}


def as_setting() -> str:
    """Return the roles as Airflow's setting `[fab] custom_roles`: one that is there stays as it is."""
    return json.dumps(
        {
            role: [{"action": action, "resource": resource} for action, resource in sorted(permissions)]
            for role, permissions in ROLES.items()
        }
    )
