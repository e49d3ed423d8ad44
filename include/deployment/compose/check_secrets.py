"""The first service of docker-compose.yaml: it ends with an error if a secret of `.env` is unfit, and nothing starts.

`python -m deployment.compose.check_secrets`, in the image, with every secret in the environment and without a network.
PostgreSQL waits for it: a cluster that was made with a bad password would keep it.
"""

import os
import sys
from collections.abc import Mapping

from deployment.compose.env import secret_variables
from deployment.secret_rules import faults

HOW_TO_MEND = (
    "Nothing was started. Put another value into .env, or let `make env` make all of them: move .env away first."
)


def unfit(environment: Mapping[str, str]) -> list[str]:
    """Return what is wrong with the secrets of an environment; one that is not there counts as empty."""
    return faults({name: environment.get(name, "") for name in secret_variables()})


if __name__ == "__main__":
    if found := unfit(os.environ):
        sys.exit("\n".join([*(f".env: {fault}" for fault in found), HOW_TO_MEND]))
