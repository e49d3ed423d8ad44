"""Tests of your own pipelines, which `./daybook init` begins; an upgrade never touches them."""
