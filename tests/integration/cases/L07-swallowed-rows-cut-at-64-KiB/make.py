"""3,000 rows of 200 bytes, two of them with a stray quote: `python make.py` in a folder writes f.csv."""

from pathlib import Path

with Path("f.csv").open("w") as file:
    file.write("id,name,qty,note\n")
    for number in range(3000):
        quote = '"' if number in (100, 1000) else ""
        file.write(f"{number},{quote}{number:x>190},{number % 7},ok\n")
