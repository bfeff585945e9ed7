"""What offline pages share: shell, packed arrays, panels, and the page of one scene.

Here belongs whatever the explorer and ``--format html`` have in common, the scripts in ``web``
included. Nothing here draws a scene or writes a file: pictures, films and the choice of panels
come from the packages above.
"""
