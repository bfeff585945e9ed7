"""What offline pages share: shell, packed arrays, panels, and the page of one scene.

Here belongs whatever the explorer and ``--format html`` have in common, the scripts in ``web``
included. Which panels a page gets, and from which run, is for the clients above to say.
"""
