"""What `./daybook init` proposes of a sample, and the module that it writes."""
