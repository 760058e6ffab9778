"""The offline demonstration: two trainings and a page about them."""
