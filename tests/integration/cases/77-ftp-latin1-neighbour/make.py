"""The day's file, and another's whose name is in Latin-1, which a clone may not be able to hold."""

from pathlib import Path

Path("sales.csv").write_text("day,store,amount\n2024-03-05,AA,1.00\n")
with open(b"Ums\xe4tze.csv", "w") as other:
    other.write("another's\n")
