"""Files under names that not every file system of a clone could hold, made here: `python make.py` in a folder."""

from pathlib import Path

ROWS = "day,store,amount\n2024-03-05,AA,1.00\n"
NAMES = ("sales 2024-03-05.csv", "in dir/x 2024-03-05.csv", "Ums\u00e4tze_2024-03-05.csv", "a#b%20c'd[1].csv")

for name in NAMES:
    Path(name).parent.mkdir(exist_ok=True)
    Path(name).write_text(ROWS)
Path("link.csv").symlink_to(NAMES[0])
Path("zero.csv").touch()
