"""Exports of labelling tools become a data set of the kind ``folder``: what each tool draws, as label files."""
