"""`python -m daybook COMMAND …`: what a person does beside the scheduler. `python -m daybook` lists the commands."""

import sys
from importlib import import_module

from daybook.errors import DaybookError
from daybook.spec import nearest

# The module of each command; its main() takes the words after the command and gives the exit code.
COMMANDS = {
    "plan": "daybook.plan_command",
    "status": "daybook.status_command",
    "why": "daybook.why_command",
    "trace": "daybook.trace_command",
    "refused": "daybook.refused_command",
    "replay": "daybook.replay_command",
    "rollback": "daybook.rollback_command",
    "check": "daybook.check_command",
}
# Below 64, where sysexits.h begins; 2 is argparse's own. docs/reliability.md has the table.
REFUSED = 40


def main(words: list[str]) -> int:
    """Run a command; give its exit code."""
    if not words or words[0] not in COMMANDS:
        hint = nearest(words[0], COMMANDS) if words else ""
        print(f"usage: python -m daybook {{{','.join(COMMANDS)}}} …{hint}", file=sys.stderr)
        return 2
    try:
        return int(import_module(COMMANDS[words[0]]).main(words[1:]))
    except DaybookError as error:
        print(error, file=sys.stderr)
        return REFUSED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
