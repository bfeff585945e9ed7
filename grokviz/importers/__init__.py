"""Import of other people's files as runs, with one importer per kind of file.

This package opens files safely (``reading``), recognises their kinds (``kinds``), and infers a
task's settings from them. Importers do not open files themselves, nothing in a file is ever run,
and each task describes its own files.

To add a kind, define an :class:`~grokviz.importers.contract.Importer` in a module of ``kinds``,
in an installed package (entry-point group ``grokviz.importers``), or in a file given to
``grokviz import --importer FILE.py``. Weights are returned under the published state-dict names
and shapes if the model has them (:mod:`grokviz.importers.layouts`), else unchanged.
"""
