"""Records of other systems: `person.records` and `org.records` become rows, claims, patches and edges, as Intercom's contacts do."""
