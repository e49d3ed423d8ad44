"""Your pipelines: one module is one pipeline, named PIPELINE in it. A module whose name begins with `_` is none."""
