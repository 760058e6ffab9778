"""The data sets: one file each, over what those made of files share."""
