"""Makes the roles and users of the UI, under the FAB auth manager; at every start.

`python -m deployment.users`, with Airflow's settings and the users' passwords (DAYBOOK_SECRET_ADMIN and so on) in the
environment. A user who is there gets the current password. `airflow users` does the same for one user a command, shows
everybody on the machine the password, and takes five seconds each.
"""

import os
from collections.abc import Mapping

from deployment.compose.env import variable
from deployment.roles import ADMIN, OPERATOR, READER, as_setting

USERS = {"admin": ADMIN, "operator": OPERATOR, "viewer": READER}


def make_users(passwords: Mapping[str, str]) -> None:
    """Make the roles that are missing, and the users with their passwords. passwords: by user's name."""
    os.environ["AIRFLOW__FAB__CUSTOM_ROLES"] = as_setting()
    from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder

    with get_application_builder() as application:
        manager = application.sm
        manager.sync_roles()
        for name, password in passwords.items():
            if known := manager.find_user(username=name):
                manager.reset_password(known.id, password)
            else:
                role = manager.find_role(USERS[name])
                manager.add_user(name, name, "Daybook", f"{name}@daybook.invalid", role, password)


if __name__ == "__main__":
    make_users({user: os.environ[variable(user)] for user in USERS})
