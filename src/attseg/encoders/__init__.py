"""What turns a picture into maps at several strides; every encoder declares its channels and strides."""
