"""One picture and a model become scores of classes: whole or in windows, at several scales, mirrored, in bounded memory."""
