"""The programs of bench/size.py, each run in a process of its own."""
