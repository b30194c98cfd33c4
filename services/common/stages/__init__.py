"""The stages there are, a module each: what one takes and gives, the models it loads, its words for people.

A module here with a `STAGE` is all that the rest of the system needs to know of a model service.
"""
