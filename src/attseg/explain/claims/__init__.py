"""The papers' claims about their attention, measured over a split of a data set: one file per claim.

Each claim adds up pictures one by one and gives tables; ``measure`` runs a model over a split, ``report`` writes what was
found. A number says what maps of this model are like on these pictures. It does not say that a prediction is due to them.
"""
