"""`./daybook doctor`: what is wrong with a deployment, and the mend of each; first the published folder."""

from collections import Counter

from commands import exit_codes
from commands.arguments import Json, Quiet
from commands.checks.finding import Finding
from commands.checks.machine import machine
from commands.checks.orphans import orphaned
from commands.checks.place import place
from commands.checks.published import published
from commands.checks.receipts import receipts
from commands.checks.servers import servers
from commands.checks.software import software
from commands.checks.store import store
from commands.output import say, tell_json
from daybook.text import one_line

CHECKS = (published, receipts, servers, orphaned, machine, store, software)


def doctor(json: Json = False, quiet: Quiet = False) -> int:
    """Say what is wrong with a deployment, and how to mend it. It starts nothing and changes nothing, but for a
    file `.doctor` with which it tries an object store and which it removes.

    First it compares the published folder with the warehouse. What it cannot check, such as servers that are down, it
    says. The exit code is 1 if something has to be mended or could not be checked.

    Example: ./daybook doctor
    """
    examined = place()
    found = [finding for check in CHECKS for finding in check(examined)]
    if json:
        tell_json({"findings": found, "is_well": _is_well(found)})
    else:
        tell(found)
    return exit_codes.DONE if _is_well(found) else exit_codes.NOT_AS_ASKED


def tell(found: list[Finding]) -> None:
    """Print a line for each finding, and one that counts them."""
    for one in found:
        say(one_line(f"{one.state:7}  {one.check}: {one.found}{f'; {one.mend}' if one.mend else ''}"))
    counts = Counter(one.state for one in found)
    say(f"{counts['well']} well, {counts['mend']} to mend, {counts['unknown']} not checked")


def _is_well(found: list[Finding]) -> bool:
    return all(one.state == "well" for one in found)
