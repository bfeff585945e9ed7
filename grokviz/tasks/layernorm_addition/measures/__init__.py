"""The measures of transformers with LayerNorm, a module each group."""
