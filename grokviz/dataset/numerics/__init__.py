"""What measures of several tasks compute with: curves, waves over residues, maxima that may tie.

Here belong functions of arrays alone. They know no run, no checkpoint and no dataset.
"""
