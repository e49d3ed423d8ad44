"""What OpenLineage is told of a run: which files and tables it read, which views and exports it made of them."""
