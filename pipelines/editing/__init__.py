"""Edit what a picture is painted from, and paint it again."""
