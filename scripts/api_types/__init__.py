"""The types of the API for the page and the client, written from the OpenAPI document."""
