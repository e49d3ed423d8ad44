"""What bench/load.py measures: the file with its truth, the loaders, and what one of them makes of the file."""
