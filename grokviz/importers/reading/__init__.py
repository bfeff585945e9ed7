"""Safe opening of untrusted files: no code in them is run, and no size in them is trusted."""
