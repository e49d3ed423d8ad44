"""Airflow's permissions, asked about without an error. Only the API server imports it, when it is asked."""

from collections.abc import Callable
from typing import Any

from fastapi import HTTPException


def is_allowed(permission: Callable[[Any, Any], None], request: Any, user: Any) -> bool:
    """Return whether a user has a permission of Airflow, which raises an error if not."""
    try:
        permission(request, user)
    except HTTPException:
        return False
    return True
