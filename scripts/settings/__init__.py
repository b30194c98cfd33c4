"""The papers that name every setting, written from the Settings class: `make settings`."""
