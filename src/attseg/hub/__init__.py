"""Models on the Hugging Face hub: names to files of weights, model cards, publishing."""
