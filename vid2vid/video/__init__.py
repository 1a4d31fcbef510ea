"""Video files and folders of pictures, in and out."""
