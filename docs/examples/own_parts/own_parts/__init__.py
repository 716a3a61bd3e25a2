"""Parts of one's own for medcurate, each found by the entry point in pyproject.toml."""
