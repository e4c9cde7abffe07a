"""What Sigap promises, tried out."""
