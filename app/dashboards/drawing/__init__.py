"""Charts drawn on the server, as SVG that reads the same on a page, on paper and in a file."""
