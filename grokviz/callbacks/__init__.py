"""Callbacks that record the loops of other libraries: Hugging Face's Trainer and Lightning.

``from grokviz.callbacks.trainer import Record`` or ``from grokviz.callbacks.lightning import
Record``, and ``callbacks=[Record("runs/mine")]``. Neither library is a dependency: each module
imports its own.
"""
