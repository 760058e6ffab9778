"""Using a trained model: ``load`` it, call it with pictures, get results; or send it through folders of files."""
