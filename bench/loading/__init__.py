"""The parts of bench/load.py: the file with its truth, the loaders, and the measurement of one loader on the file."""
