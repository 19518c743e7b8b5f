"""Reading, mapping and reports of imports; writes by running registered commands by name."""
