"""People, teams, the organisation tree, roles and tokens: who may see and do what."""
