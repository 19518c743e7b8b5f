"""The root: settings, addresses, server and command line; no logic of its own."""
