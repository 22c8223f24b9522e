"""What real encoders and speakers do, and whether the output and what is said of it stay true."""
