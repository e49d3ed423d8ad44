"""6,000 rows, two of them with a stray quote: `python make.py` in a folder writes f.csv."""

from pathlib import Path

with Path("f.csv").open("w") as file:
    file.write("id,name,qty,note\n")
    for number in range(1, 6001):
        quote = '"' if number in (1000, 1899) else ""
        file.write(f"{number},{quote}stop {number},{number % 7},ok\n")
