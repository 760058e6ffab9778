"""Pictures with labels: what they are (``sample``, ``classes``), where they come from, and how they are fed to training."""
