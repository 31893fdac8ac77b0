"""One module or package a vendor: each speaks one API and knows no business rule."""
