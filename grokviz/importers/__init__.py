"""Other people's files as runs: an importer a kind of file.

Here belong opening a file safely (``reading``), the kinds of files (``kinds``), and what a file
says about a task's settings. Opening is not an importer's affair, and nothing in a file is ever
run; what a task's files look like is said by the task.

To add a kind: a module that defines an :class:`~grokviz.importers.contract.Importer`, in ``kinds``,
in an installed package (entry-point group ``grokviz.importers``), or in a file that
``grokviz import --importer FILE.py`` names. Weights leave under the published state-dict names
and shapes where the model has such (:mod:`grokviz.importers.layouts`), else as they are.
"""
