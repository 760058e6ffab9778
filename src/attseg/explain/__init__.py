"""Looking at attention: ``capture`` watches the maps of a model, ``views`` draws them."""
