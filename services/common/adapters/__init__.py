"""One module a vendor; `bootstrap` alone chooses between them."""
