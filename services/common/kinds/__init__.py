"""The kinds of job there are, a module each: its form, its options and result, and the steps that make the result.

A module here with a `KIND` is a kind of job: its route, form, steps and documentation follow from it.
"""
